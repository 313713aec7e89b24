//! Markup that cannot be broken out of: tags are literals of this crate, everything else is escaped on its way in.

/// Longest text of one place; a server's word may be longer than anyone reads.
const TEXT_CHARS_MAX: usize = 600;

/// A page in the making.
#[derive(Default)]
pub(super) struct Markup(String);

impl Markup {
    /// Tags: only what stands in the source, never what came from outside.
    pub(super) fn tag(&mut self, tag: &'static str) -> &mut Self {
        self.0.push_str(tag);
        self
    }

    /// Text, whatever is in it.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        let short = crate::style::cut(text, TEXT_CHARS_MAX);
        self.0.push_str(&escape(&short));
        self
    }

    /// A drawing of our own, whose texts were escaped when it was drawn.
    pub(super) fn drawing(&mut self, svg: &str) -> &mut Self {
        self.0.push_str(svg);
        self
    }

    pub(super) fn finish(self) -> String {
        self.0
    }
}

/// Text for an element or a quoted attribute.
pub(crate) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in crate::style::clean(text).chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}
