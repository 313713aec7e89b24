//! Values as text, in the one form that templates, CSV, JSON and text wires share.
//!
//! Each function returns a short piece on the stack: a text wire writes a million of them a second.

use std::fmt;

/// The longest piece: a decimal of 39 digits with sign, point and leading zero, with room to spare.
const PIECE_BYTES_MAX: usize = 48;

/// A short ASCII text on the stack.
#[derive(Clone, Copy)]
pub struct Piece {
    bytes: [u8; PIECE_BYTES_MAX],
    start: u8,
    end: u8,
}

impl Piece {
    /// The bytes.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[usize::from(self.start)..usize::from(self.end)]
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).expect("a piece is ASCII")
    }
}

impl fmt::Debug for Piece {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), out)
    }
}

impl fmt::Display for Piece {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// An instant as RFC 3339 in UTC with microseconds, always 27 characters for the years 0 to 9999.
///
/// ```
/// use rowstorm_gen::text::timestamp;
/// assert_eq!(timestamp(0).as_str(), "1970-01-01T00:00:00.000000Z");
/// assert_eq!(timestamp(1_767_225_600_000_001).as_str(), "2026-01-01T00:00:00.000001Z");
/// assert_eq!(timestamp(-1).as_str(), "1969-12-31T23:59:59.999999Z");
/// ```
pub fn timestamp(micros: i64) -> Piece {
    const DAY_US: i64 = 86_400_000_000;
    let (year, month, day) = civil(micros.div_euclid(DAY_US));
    let of_day = micros.rem_euclid(DAY_US) as u64;
    let mut piece = Piece { bytes: [0; PIECE_BYTES_MAX], start: 0, end: 0 };
    let mut at = 0;
    if (0..=9999).contains(&year) {
        at = digits(&mut piece.bytes, at, year.unsigned_abs(), 4);
    } else {
        // ISO 8601's expanded form: a sign and six digits.
        piece.bytes[0] = if year < 0 { b'-' } else { b'+' };
        at = digits(&mut piece.bytes, 1, year.unsigned_abs(), 6);
    }
    let seconds = of_day / 1_000_000;
    for (mark, value) in [
        (b'-', month),
        (b'-', day),
        (b'T', seconds / 3600),
        (b':', seconds / 60 % 60),
        (b':', seconds % 60),
    ] {
        piece.bytes[at] = mark;
        at = digits(&mut piece.bytes, at + 1, value, 2);
    }
    piece.bytes[at] = b'.';
    at = digits(&mut piece.bytes, at + 1, of_day % 1_000_000, 6);
    piece.bytes[at] = b'Z';
    piece.end = (at + 1) as u8;
    piece
}

/// Year, month and day of a day since 1970-01-01, proleptic Gregorian (Hinnant, "chrono-compatible date algorithms").
fn civil(day: i64) -> (i64, u64, u64) {
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097) as u64;
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era as i64 + era * 400 + i64::from(month <= 2), month, day)
}

fn digits(out: &mut [u8], at: usize, mut value: u64, width: usize) -> usize {
    for place in (at..at + width).rev() {
        out[place] = b'0' + (value % 10) as u8;
        value /= 10;
    }
    at + width
}

/// A decimal with all digits of its scale.
///
/// ```
/// use rowstorm_gen::text::decimal;
/// assert_eq!(decimal(-5, 2).as_str(), "-0.05");
/// assert_eq!(decimal(120, 0).as_str(), "120");
/// assert_eq!(decimal(i128::MAX, 38).as_str(), "1.70141183460469231731687303715884105727");
/// ```
pub fn decimal(unscaled: i128, scale: u8) -> Piece {
    let mut piece = Piece { bytes: [0; PIECE_BYTES_MAX], start: 0, end: PIECE_BYTES_MAX as u8 };
    let (mut rest, mut at, mut written) = (unscaled.unsigned_abs(), PIECE_BYTES_MAX, 0);
    while rest > 0 || written <= scale {
        if written == scale && scale > 0 {
            at -= 1;
            piece.bytes[at] = b'.';
        }
        at -= 1;
        piece.bytes[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        written += 1;
    }
    if unscaled < 0 {
        at -= 1;
        piece.bytes[at] = b'-';
    }
    piece.start = at as u8;
    piece
}

/// A UUID in its 36 characters.
///
/// ```
/// assert_eq!(rowstorm_gen::text::uuid(&[0xAB; 16]).as_str(), "abababab-abab-abab-abab-abababababab");
/// ```
pub fn uuid(bytes: &[u8; 16]) -> Piece {
    let mut piece = Piece { bytes: [b'-'; PIECE_BYTES_MAX], start: 0, end: 36 };
    let mut at = 0;
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            at += 1;
        }
        piece.bytes[at] = HEX[usize::from(byte >> 4)];
        piece.bytes[at + 1] = HEX[usize::from(byte & 15)];
        at += 2;
    }
    piece
}

/// Lower-case hexadecimal digits.
pub const HEX: &[u8; 16] = b"0123456789abcdef";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn timestamps_read_as_jiff_writes_them(micros in -62_135_596_800_000_000_i64..=253_402_207_200_000_000) {
            let jiff = jiff::Timestamp::from_microsecond(micros).unwrap();
            prop_assert_eq!(timestamp(micros).to_string(), format!("{jiff:.6}"));
        }

        #[test]
        fn decimals_read_back(unscaled in any::<i128>(), scale in 0_u8..=38) {
            let text = decimal(unscaled, scale).to_string();
            prop_assert_eq!(text.split_once('.').map_or(0, |(_, tail)| tail.len()), usize::from(scale));
            prop_assert_eq!(text.replace('.', "").parse::<i128>().unwrap(), unscaled);
        }
    }

    #[test]
    fn far_years_have_a_sign() {
        assert!(timestamp(i64::MAX).as_str().starts_with("+294247-"));
        assert!(timestamp(i64::MIN).as_str().starts_with("-290308-"));
    }
}
