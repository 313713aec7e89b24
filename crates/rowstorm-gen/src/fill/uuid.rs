//! UUIDs that never repeat, by construction (RFC 9562).

use crate::{Fill, Rows, Stream, Values, text};

/// How a UUID stands in its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UuidForm {
    /// 16 bytes.
    Binary,
    /// 36 characters.
    Text,
}

impl UuidForm {
    fn fill(self, rows: &Rows<'_>, out: &mut Values, uuid: impl Fn(u64) -> [u8; 16]) {
        match self {
            UuidForm::Binary => rows.map_into(out.uuids(), uuid),
            UuidForm::Text => {
                let texts = out.texts();
                rows.for_each(|row| texts.push(text::uuid(&uuid(row)).as_bytes()));
            }
        }
    }
}

/// Version 4: 122 random bits, of which the stream's own word, different for every row, makes up 64.
#[derive(Debug)]
pub(crate) struct UuidV4(pub(crate) UuidForm);

impl Fill for UuidV4 {
    fn fill(&self, stream: Stream, rows: Rows<'_>, out: &mut Values) {
        self.0.fill(&rows, out, |row| {
            let cell = stream.at(row);
            let (word, more) = (cell.bits(), cell.draw(1).bits());
            // The word's upper 60 bits stand around the version, its lower 4 behind the variant.
            let high = (word >> 16) << 16 | 0x4000 | (word >> 4 & 0x0FFF);
            let low = 1 << 63 | (word & 0xF) << 58 | more >> 6;
            bytes(high, low)
        });
    }
}

/// Version 7: a millisecond per row, then 74 random bits.
#[derive(Debug)]
pub(crate) struct UuidV7 {
    pub(crate) start_ms: u64,
    pub(crate) form: UuidForm,
}

impl Fill for UuidV7 {
    fn fill(&self, stream: Stream, rows: Rows<'_>, out: &mut Values) {
        self.form.fill(&rows, out, |row| {
            let cell = stream.at(row);
            let high =
                self.start_ms.wrapping_add(row) << 16 | 0x7000 | (cell.draw(1).bits() & 0x0FFF);
            bytes(high, 1 << 63 | cell.bits() >> 2)
        });
    }
}

fn bytes(high: u64, low: u64) -> [u8; 16] {
    (u128::from(high) << 64 | u128::from(low)).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uuids(fill: &impl Fill, rows: u64) -> Vec<[u8; 16]> {
        let mut out = Values::default();
        fill.fill(Stream::new(5), Rows::Run(0..rows), &mut out);
        let Values::Uuid(uuids) = out else { panic!("{out:?}") };
        uuids
    }

    #[test]
    fn version_and_variant_stand_where_the_standard_wants_them() {
        for (fill, version) in [
            (&UuidV4(UuidForm::Binary) as &dyn Fill, 4),
            (&UuidV7 { start_ms: 1_767_225_600_000, form: UuidForm::Binary }, 7),
        ] {
            let mut out = Values::default();
            fill.fill(Stream::new(5), Rows::Run(0..1_000), &mut out);
            let Values::Uuid(uuids) = out else { panic!("{out:?}") };
            assert!(uuids.iter().all(|uuid| uuid[6] >> 4 == version && uuid[8] >> 6 == 0b10));
        }
    }

    #[test]
    fn the_random_word_is_whole_in_a_version_4() {
        for (row, uuid) in uuids(&UuidV4(UuidForm::Binary), 100).iter().enumerate() {
            let number = u128::from_be_bytes(*uuid);
            let word = (number >> 80) << 16 | (number >> 64 & 0xFFF) << 4 | number >> 58 & 0xF;
            assert_eq!(word as u64, Stream::new(5).at(row as u64).bits());
        }
    }

    #[test]
    fn version_7_counts_milliseconds() {
        let uuids = uuids(&UuidV7 { start_ms: 1 << 40, form: UuidForm::Binary }, 3);
        for (row, uuid) in uuids.iter().enumerate() {
            assert_eq!(u128::from_be_bytes(*uuid) >> 80, (1 << 40) + row as u128);
        }
    }
}
