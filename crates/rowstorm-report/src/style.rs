//! How text for a terminal is laid out: width, colour and signs are given, never asked from the environment.

/// How to write for a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether ANSI colours are wanted.
    pub color: bool,
    /// Columns.
    pub width: usize,
    /// Whether anything beyond ASCII is wanted.
    pub unicode: bool,
}

impl Default for Style {
    fn default() -> Self {
        Self { color: false, width: 100, unicode: true }
    }
}

/// What a piece of text is, and so its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ink {
    Heading,
    Quiet,
    Good,
    Open,
    Bad,
}

impl Style {
    /// The text in its colour, if colours are wanted.
    pub(crate) fn paint(self, ink: Ink, text: &str) -> String {
        if !self.color || text.is_empty() {
            return text.to_owned();
        }
        let code = match ink {
            Ink::Heading => "1",
            Ink::Quiet => "2",
            Ink::Good => "32",
            Ink::Open => "33",
            Ink::Bad => "31",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }

    /// Either sign, as the terminal can show it.
    pub(crate) fn sign(self, unicode: &'static str, ascii: &'static str) -> &'static str {
        if self.unicode { unicode } else { ascii }
    }

    /// Words in lines of at most the width, `indent` columns in; a longer word stands alone. The first line is not
    /// indented.
    pub(crate) fn wrap(self, text: &str, indent: usize) -> String {
        let room = self.width.saturating_sub(indent).max(20);
        let mut lines: Vec<String> = Vec::new();
        // Two blanks part items that stay whole; single blanks part words.
        for item in text.split("   ") {
            let long = item.chars().count() > room;
            let pieces: Vec<&str> = if long { item.split(' ').collect() } else { vec![item] };
            for (index, piece) in pieces.into_iter().enumerate() {
                let gap = if index == 0 { "   " } else { " " };
                match lines.last_mut() {
                    Some(line)
                        if line.chars().count() + gap.len() + piece.chars().count() <= room =>
                    {
                        line.push_str(gap);
                        line.push_str(piece);
                    }
                    _ => lines.push(piece.to_owned()),
                }
            }
        }
        lines.join(&format!("\n{}", " ".repeat(indent)))
    }
}

/// Text of others, safe to show: no control character reaches the terminal, line breaks are blanks.
pub(crate) fn clean(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' | '\t' => shown.push(' '),
            // Overrides of the writing direction make text read as something else.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => shown.push('\u{fffd}'),
            c if c.is_control() => shown.push('\u{fffd}'),
            c => shown.push(c),
        }
    }
    shown
}

/// At most `width` characters, the cut marked.
pub(crate) fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(width.saturating_sub(3)).collect();
    short.push_str("...");
    short
}
