//! Realistic words: the English lists of the `fake` crate, pinned; the draws are ours.
//!
//! Simple kinds are a list as it stands. Kinds that are put together (names, addresses, sentences) are a dictionary of
//! [`COMPOUNDS`] entries, drawn once from the column's own stream: no cell is put together twice.

use fake::locales::{Data, EN};
use rowstorm_schema::Fake;

use crate::{Cell, Stream, Strings};

/// The entries of a dictionary that is put together.
const COMPOUNDS: u64 = 4096;

/// The dictionary of a kind for a column with this stream. Entries of more than `max` characters are left out.
pub(crate) fn entries(column: Stream, kind: Fake, max: Option<u32>) -> Strings {
    let mut entries = Strings::default();
    let mut push = |entry: &str| {
        if max.is_none_or(|max| entry.chars().count() <= max as usize) {
            entries.push(entry.as_bytes());
        }
    };
    if let Some(list) = list(kind) {
        for entry in list {
            push(entry);
        }
    } else {
        let stream = column.named("#entries");
        (0..COMPOUNDS).for_each(|entry| push(&compound(kind, Words::of(stream.at(entry)))));
    }
    entries
}

/// The kinds that are lists.
fn list(kind: Fake) -> Option<&'static [&'static str]> {
    match kind {
        Fake::FirstName => Some(EN::NAME_FIRST_NAME),
        Fake::LastName => Some(EN::NAME_LAST_NAME),
        Fake::Country => Some(EN::ADDRESS_COUNTRY),
        Fake::CountryCode => Some(EN::ADDRESS_COUNTRY_CODE),
        Fake::Word => Some(EN::LOREM_WORD),
        Fake::Name
        | Fake::Email
        | Fake::Username
        | Fake::Company
        | Fake::City
        | Fake::Street
        | Fake::PostalCode
        | Fake::Phone
        | Fake::JobTitle
        | Fake::Sentence => None,
    }
}

/// One entry of a kind that is put together.
fn compound(kind: Fake, mut words: Words) -> String {
    let first = |words: &mut Words| words.of_list(EN::NAME_FIRST_NAME);
    let last = |words: &mut Words| words.of_list(EN::NAME_LAST_NAME);
    match kind {
        Fake::Name => format!("{} {}", first(&mut words), last(&mut words)),
        Fake::Email => {
            // example.org is reserved (RFC 2606): nobody gets this mail.
            let name = format!("{}.{}", first(&mut words), last(&mut words));
            format!("{}@example.org", handle(&name))
        }
        Fake::Username => {
            let name = format!("{}_{}", first(&mut words), last(&mut words));
            handle(&name)
        }
        Fake::Company => format!("{} {}", last(&mut words), words.of_list(EN::COMPANY_SUFFIX)),
        Fake::City => match words.below(2) {
            0 => {
                let prefix = words.of_list(EN::ADDRESS_CITY_PREFIX);
                format!("{prefix} {}", last(&mut words))
            }
            _ => format!("{}{}", last(&mut words), words.of_list(EN::ADDRESS_CITY_SUFFIX)),
        },
        Fake::Street => {
            let number = words.below(999) + 1;
            format!("{number} {} {}", last(&mut words), words.of_list(EN::ADDRESS_STREET_SUFFIX))
        }
        Fake::PostalCode => format!("{:05}", words.below(100_000)),
        // 555-0100 to 555-0199 are set apart for fiction.
        Fake::Phone => format!("+1-{}-555-01{:02}", 200 + words.below(800), words.below(100)),
        Fake::JobTitle => {
            let (level, field) = (words.of_list(EN::JOB_SENIORITY), words.of_list(EN::JOB_FIELD));
            format!("{level} {field} {}", words.of_list(EN::JOB_POSITION))
        }
        Fake::Sentence => sentence(&mut words),
        Fake::FirstName | Fake::LastName | Fake::Country | Fake::CountryCode | Fake::Word => {
            unreachable!("a list as it stands")
        }
    }
}

fn handle(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '\'' | ' ')).collect::<String>().to_lowercase()
}

fn sentence(words: &mut Words) -> String {
    let count = 4 + words.below(7);
    let mut text = String::new();
    for word in 0..count {
        if word > 0 {
            text.push(' ');
        }
        text.push_str(words.of_list(EN::LOREM_WORD));
    }
    text[..1].make_ascii_uppercase();
    text.push('.');
    text
}

/// The draws of one entry, one after another.
struct Words {
    cell: Cell,
    next: u32,
}

impl Words {
    fn of(cell: Cell) -> Words {
        Words { cell, next: 0 }
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next += 1;
        self.cell.draw(self.next - 1).below(n)
    }

    fn of_list(&mut self, list: &[&'static str]) -> &'static str {
        list[self.below(list.len() as u64) as usize]
    }
}
