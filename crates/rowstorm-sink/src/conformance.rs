//! The suite of promises that every adapter runs as its test.
