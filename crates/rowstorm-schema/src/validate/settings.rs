//! `run:` and `profiles:`.

use super::Check;
use super::generator::instant;
use crate::RunSettings;
use crate::document::Place;

pub(super) fn check(check: &mut Check<'_>) {
    let schema = check.schema;
    if let Some(run) = &schema.run {
        settings(check, run, &Place::root().key("run"));
    }
    for (name, profile) in &schema.profiles {
        settings(check, profile, &Place::root().key("profiles").key(name));
    }
}

fn settings(check: &mut Check<'_>, settings: &RunSettings, place: &Place) {
    instant(check, settings.epoch.as_deref(), &place.key("epoch"));
    for (name, span) in [("duration", settings.duration), ("timeout", settings.timeout)] {
        if span.is_some_and(|span| span.0.is_zero()) {
            check.value(&place.key(name), format!("`{name}` is above 0"), None);
        }
    }
    if let (Some(duration), Some(warmup)) = (settings.duration, settings.warmup)
        && warmup >= duration
    {
        let message = format!("a warm-up of {warmup} leaves nothing of {duration} to measure");
        check.value(&place.key("warmup"), message, None);
    }
}
