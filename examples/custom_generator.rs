//! A rule of one's own: check digits after the Luhn formula, a pure function of the row.
//!
//! `cargo run --example custom_generator`
#![allow(clippy::print_stdout, reason = "an example talks")]

use rowstorm::generate::{Rows, Stream, Values};
use rowstorm::{Error, Fill, Format, Plan, PlanOptions, Schema};

/// Sixteen-digit numbers whose last digit checks the others.
#[derive(Debug)]
struct CardNumber;

impl Fill for CardNumber {
    fn fill(&self, stream: Stream, rows: Rows<'_>, out: &mut Values) {
        let mut numbers = Vec::with_capacity(rows.len());
        rows.for_each(|row| {
            let body = 400_000_000_000_000 + stream.at(row).below(99_999_999_999_999);
            numbers.push((body * 10 + check_digit(body)) as i64);
        });
        *out = Values::Int(numbers);
    }
}

/// ISO/IEC 7812: every second digit from the right is doubled, and the sum ends in 0.
fn check_digit(body: u64) -> u64 {
    let (mut rest, mut sum, mut double) = (body, 0, true);
    while rest > 0 {
        let digit = rest % 10 * if double { 2 } else { 1 };
        sum += digit / 10 + digit % 10;
        rest /= 10;
        double = !double;
    }
    (10 - sum % 10) % 10
}

fn main() -> Result<(), Error> {
    let schema = Schema::parse(
        "version: 1\ntables: { cards: { preload: 1000, columns: { number: { type: bigint, gen: { uniform: [0, 1] } } } } }",
        Format::Yaml,
        "cards.yaml",
    )?;
    let plan =
        Plan::new(&schema, PlanOptions::default())?.with_fill("cards", "number", CardNumber)?;
    for row in plan.table("cards")?.rows(0..5) {
        println!("{}", row["number"]);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_numbers_check() {
        assert_eq!(check_digit(411_111_111_111_111), 1);
        assert_eq!(check_digit(7_992_739_871), 3);
        main().unwrap();
    }
}
