//! Examples of Rowstorm: see the `[[example]]` targets.
