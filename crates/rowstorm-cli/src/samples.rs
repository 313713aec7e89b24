//! The sample schemas, part of the command, so that the first run needs no file.

/// Name and text of each sample.
const SAMPLES: [(&str, &str); 6] = [
    ("cpu", include_str!("../../../schemas/cpu.yaml")),
    ("environment", include_str!("../../../schemas/environment.yaml")),
    ("shop", include_str!("../../../schemas/shop.yaml")),
    ("payload", include_str!("../../../schemas/payload.yaml")),
    ("events", include_str!("../../../schemas/events.yaml")),
    ("queries", include_str!("../../../schemas/queries.yaml")),
];

/// The text of a sample.
pub(crate) fn find(name: &str) -> Option<&'static str> {
    SAMPLES.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// The samples' names.
pub(crate) fn names() -> [&'static str; SAMPLES.len()] {
    SAMPLES.map(|(name, _)| name)
}

#[cfg(test)]
mod tests {
    use rowstorm::schema::{Format, Schema};

    #[test]
    fn every_sample_is_valid() {
        for (name, text) in super::SAMPLES {
            if let Err(invalid) = Schema::parse(text, Format::Yaml, name) {
                panic!("{invalid}");
            }
        }
    }
}
