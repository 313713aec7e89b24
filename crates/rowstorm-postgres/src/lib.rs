//! PostgreSQL for Rowstorm: COPY BINARY
