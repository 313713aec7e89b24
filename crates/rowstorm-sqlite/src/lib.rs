//! SQLite for Rowstorm: the embedded default
