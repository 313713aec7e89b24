//! A comparison for people: the verdict in a sentence, then the numbers.

use crate::compare::{Change, Comparison, Tested};
use crate::markdown::safe;
use crate::metric::Better;
use crate::number;
use crate::statistics::SECONDS_MIN;
use crate::style::{Ink, Style, clean};

impl Comparison {
    /// The verdict on throughput in one sentence.
    pub fn sentence(&self) -> String {
        let Some(tested) = self.throughput() else { return String::new() };
        let Some(change) = tested.change else {
            let seconds = |mean: Option<crate::statistics::Mean>| mean.map_or(0, |mean| mean.count);
            return format!(
                "cannot tell: {} and {} whole seconds after settling, {SECONDS_MIN} of each are needed, and no slow waves in them",
                seconds(tested.base),
                seconds(tested.new)
            );
        };
        let interval =
            format!("95% CI {} to {}", number::change(change.low), number::change(change.high));
        match tested.change_is {
            Change::Faster | Change::Slower => {
                let word = if tested.change_is == Change::Faster { "faster" } else { "slower" };
                let by = number::percent(change.change.abs());
                format!("new is {word} by {by} ({interval})")
            }
            Change::NotSignificant | Change::Untold => {
                format!("no significant change: {} ({interval})", number::change(change.change))
            }
        }
    }

    /// The comparison as a table in a terminal. Ends with a line break.
    pub fn terminal(&self, style: Style) -> String {
        let ink = match self.throughput().map(|tested| tested.change_is) {
            Some(Change::Faster) => Ink::Good,
            Some(Change::Slower) => Ink::Bad,
            Some(Change::NotSignificant | Change::Untold) | None => Ink::Open,
        };
        let sentence = style.wrap(&self.sentence(), "COMPARED   ".len());
        let heading = style.paint(Ink::Heading, "COMPARED");
        let mut text = format!("{heading}   {}\n", style.paint(ink, &sentence));
        for note in &self.notes {
            text.push_str(&format!("  {}\n", style.wrap(&format!("note: {}", clean(note)), 4)));
        }
        text.push('\n');
        text.push_str(&format!("  {:<26} {:>12} {:>12}  change\n", "", "base", "new"));
        for [name, base, new, change] in self.rows() {
            text.push_str(&format!("  {name:<26} {base:>12} {new:>12}  {change}\n"));
        }
        text
    }

    /// The comparison as Markdown.
    pub fn markdown(&self) -> String {
        let mut text = format!("**{}**\n\n", safe(&self.sentence()));
        for note in &self.notes {
            text.push_str(&format!("- {}\n", safe(note)));
        }
        if !self.notes.is_empty() {
            text.push('\n');
        }
        text.push_str("| | base | new | change |\n| --- | ---: | ---: | --- |\n");
        for [name, base, new, change] in self.rows() {
            text.push_str(&format!("| {} | {base} | {new} | {change} |\n", safe(&name)));
        }
        text
    }

    /// Name, base, new and change of each line.
    fn rows(&self) -> Vec<[String; 4]> {
        let mut rows: Vec<[String; 4]> = self.tested.iter().filter_map(tested_row).collect();
        // What happened in neither run says nothing.
        let nothing = |value: Option<f64>| value.is_none_or(|value| value.abs() < f64::EPSILON);
        for one in self.metrics.iter().filter(|one| !(nothing(one.base) && nothing(one.new))) {
            let write =
                |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |v| one.metric.write(v));
            let change = match (one.change(), one.metric.better) {
                (None, _) => String::new(),
                (Some(change), _) if change.abs() < f64::EPSILON => "same".to_owned(),
                (Some(change), Better::Neither) => number::change(change),
                (Some(change), better) => {
                    let good = (change > 0.0) == (better == Better::Higher);
                    let word = if good { "better" } else { "worse" };
                    if change.is_finite() {
                        format!("{} {word}", number::change(change))
                    } else {
                        word.to_owned()
                    }
                }
            };
            rows.push([one.metric.name.to_owned(), write(one.base), write(one.new), change]);
        }
        rows
    }
}

fn tested_row(tested: &Tested) -> Option<[String; 4]> {
    let (base, new) = (tested.base?, tested.new?);
    let change = match tested.change {
        None => "too few seconds".to_owned(),
        Some(change) => {
            let word = match tested.change_is {
                Change::Faster => "better",
                Change::Slower => "worse",
                Change::NotSignificant | Change::Untold => "not significant",
            };
            let [low, high] = [change.low, change.high].map(number::change);
            format!("{} {word} ({low} to {high})", number::change(change.change))
        }
    };
    let name = format!("{}, steady", tested.name);
    let write = |value| tested.metric.write(value);
    Some([name, write(base.mean), write(new.mean), change])
}
