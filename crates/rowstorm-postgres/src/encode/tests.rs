//! The cells byte by byte, and decimals against an independent reading of the server's layout.

use proptest::prelude::*;

use super::*;

fn cell(wire: Wire, write: impl FnOnce(&mut CopyFormat, &mut Buffer)) -> Vec<u8> {
    let mut format = CopyFormat::new(vec![wire]);
    let mut out = Buffer::default();
    out.reserve(format.fixed_bytes_max());
    write(&mut format, &mut out);
    out.as_slice().to_vec()
}

#[test]
fn cells_are_what_the_server_documents() {
    let int = |wire, value| cell(wire, |format, out| format.int(0, value, out));
    assert_eq!(int(Wire::Int2, -2), [0, 0, 0, 2, 0xff, 0xfe]);
    assert_eq!(int(Wire::Int4, 258), [0, 0, 0, 4, 0, 0, 1, 2]);
    assert_eq!(int(Wire::Int4, -1), [0, 0, 0, 4, 255, 255, 255, 255]);
    assert_eq!(int(Wire::Int8, i64::MIN), [0, 0, 0, 8, 0x80, 0, 0, 0, 0, 0, 0, 0]);

    assert_eq!(cell(Wire::Bool, |f, out| f.bool(0, true, out)), [0, 0, 0, 1, 1]);
    assert_eq!(cell(Wire::Text, |f, out| f.null(0, out)), [255; 4]);
    assert_eq!(cell(Wire::Text, |f, out| f.text(0, "é", out)), [0, 0, 0, 2, 0xc3, 0xa9]);
    assert_eq!(cell(Wire::Bytea, |f, out| f.bytes(0, &[0, 255], out)), [0, 0, 0, 2, 0, 255]);
    assert_eq!(cell(Wire::Jsonb, |f, out| f.json(0, "{}", out)), *b"\0\0\0\x03\x01{}");
    assert_eq!(cell(Wire::Text, |f, out| f.json(0, "{}", out)), *b"\0\0\0\x02{}");
    assert_eq!(cell(Wire::Float4, |f, out| f.float(0, 1.5, out)), [0, 0, 0, 4, 0x3f, 0xc0, 0, 0]);
    assert_eq!(
        cell(Wire::Float8, |f, out| f.float(0, -2.0, out)),
        [0, 0, 0, 8, 0xc0, 0, 0, 0, 0, 0, 0, 0]
    );
    let uuid = cell(Wire::Uuid, |f, out| f.uuid(0, &[7; 16], out));
    assert_eq!((&uuid[..4], &uuid[4..]), (&[0, 0, 0, 16][..], &[7; 16][..]));
}

#[test]
fn instants_count_from_the_year_2000_and_are_never_infinite() {
    let at = |micros| {
        let bytes = cell(Wire::Timestamp, |format, out| format.timestamp(0, micros, out));
        i64::from_be_bytes(bytes[4..].try_into().expect("eight bytes"))
    };
    assert_eq!(at(946_684_800_000_001), 1);
    assert_eq!(at(0), -946_684_800_000_000);
    assert_ne!(at(i64::MIN), i64::MIN);
    assert_ne!(at(i64::MAX), i64::MAX);
}

#[test]
fn an_integer_that_does_not_fit_keeps_its_bytes() {
    let bytes = cell(Wire::Int2, |format, out| format.int(0, 40_000, out));
    assert_eq!(bytes, [0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0x9c, 0x40]);
}

#[test]
fn integers_together_are_what_they_are_one_by_one() {
    for wires in [[Wire::Int4; 3], [Wire::Int4, Wire::Int2, Wire::Int8]] {
        for values in [[1, -2, 3], [i64::MIN, 2, 3], [1, 2, 40_000_000_000]] {
            let mut format = CopyFormat::new(wires.to_vec());
            let (mut together, mut singly) = (Buffer::default(), Buffer::default());
            together.reserve(100);
            singly.reserve(100);
            let columns = values.each_ref().map(std::slice::from_ref);
            format.ints(0, &columns, 0, &mut together);
            for (column, value) in values.iter().enumerate() {
                format.int(column, *value, &mut singly);
            }
            assert_eq!(together.as_slice(), singly.as_slice(), "{wires:?} {values:?}");
        }
    }
}

#[test]
fn decimals_are_what_the_server_sends() {
    let decimal = |unscaled, scale| {
        let bytes = cell(Wire::Numeric, |format, out| format.decimal(0, unscaled, scale, out));
        bytes[4..].chunks(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect::<Vec<_>>()
    };
    // Groups, weight, sign, scale, groups: `SELECT numeric_send(x)`.
    assert_eq!(decimal(0, 2), [0, 0, 0, 2]);
    assert_eq!(decimal(1_234_567, 2), [3, 1, 0, 2, 1, 2345, 6700]);
    assert_eq!(decimal(-1, 4), [1, 0xffff, 0x4000, 4, 1]);
    assert_eq!(decimal(100_000_000, 0), [1, 2, 0, 0, 1]);
    assert_eq!(decimal(1, 5), [1, 0xfffe, 0, 5, 1000]);
}

/// Reads a `numeric` as text: each group has four digits, the first stands at 10,000^weight.
fn text(cell: &[u8]) -> String {
    let word = |at: usize| i16::from_be_bytes([cell[at], cell[at + 1]]);
    assert_eq!(i32::from_be_bytes(cell[..4].try_into().expect("four")) as usize, cell.len() - 4);
    let (count, weight, scale) = (word(4), word(6), word(10) as usize);
    let group = |place: i16| {
        let index = weight - place;
        if (0..count).contains(&index) { word(12 + 2 * index as usize) } else { 0 }
    };
    let digits = |places: &mut dyn Iterator<Item = i16>| {
        places.fold(String::new(), |text, place| text + &format!("{:04}", group(place)))
    };
    let whole = digits(&mut (0..=weight.max(0)).rev());
    let parts = digits(&mut (1..=16).map(|place: i16| -place));
    let sign = if word(8) == 0x4000 { "-" } else { "" };
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    if scale == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{}", &parts[..scale]) }
}

proptest! {
    #[test]
    fn decimals_keep_every_digit(unscaled in any::<i128>(), cut in 0_u32..39, scale in 0_u8..=38) {
        let unscaled = unscaled / 10_i128.pow(cut);
        let bytes = cell(Wire::Numeric, |format, out| format.decimal(0, unscaled, scale, out));
        let expected = rowstorm_gen::text::decimal(unscaled, scale);
        prop_assert_eq!(text(&bytes), expected.as_str());
    }
}
