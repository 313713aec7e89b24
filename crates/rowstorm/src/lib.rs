//! Realistic rows into real databases, fast, and proof that every row arrived
