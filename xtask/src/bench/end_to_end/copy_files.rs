//! Pre-encoded COPY BINARY files of a fixed number of rows: what the stock client is fed.
//!
//! One file of the whole table, written by the server, is cut into batches. A file of the format is a header of 19 bytes,
//! then rows, then -1 as 16 bits; a row is its number of fields as 16 bits, and each field a length as 32 bits and so many
//! bytes, or -1 for null (PostgreSQL's documentation, "COPY", "Binary Format").

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};

/// Signature, flags and the length of an extension that is empty.
const HEADER: &[u8; 19] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
const TRAILER: [u8; 2] = [0xff, 0xff];

/// Cuts `whole` into files of `rows` rows in `folder`; the last one may have fewer.
pub(super) fn cut(whole: &Path, folder: &Path, rows: u64) -> anyhow::Result<Vec<PathBuf>> {
    let mut input = BufReader::with_capacity(1 << 20, File::open(whole)?);
    let mut header = [0; 19];
    input.read_exact(&mut header)?;
    ensure!(&header == HEADER, "{} is no COPY BINARY file", whole.display());
    let mut files = Vec::new();
    let mut row = Vec::new();
    while read_row(&mut input, &mut row)? {
        let path = folder.join(format!("{:05}.copy", files.len()));
        let mut output = BufWriter::with_capacity(1 << 20, File::create(&path)?);
        output.write_all(HEADER)?;
        output.write_all(&row)?;
        for _ in 1..rows {
            if !read_row(&mut input, &mut row)? {
                break;
            }
            output.write_all(&row)?;
        }
        output.write_all(&TRAILER)?;
        output.flush()?;
        files.push(path);
    }
    Ok(files)
}

/// Reads one row; `false` at the trailer. After the trailer comes nothing, and asking again finds that.
fn read_row(input: &mut impl Read, row: &mut Vec<u8>) -> anyhow::Result<bool> {
    row.clear();
    let mut fields = [0; 2];
    if input.read(&mut fields[..1])? == 0 {
        return Ok(false);
    }
    input.read_exact(&mut fields[1..]).context("the file ends inside a row")?;
    if fields == TRAILER {
        return Ok(false);
    }
    row.extend(fields);
    for _ in 0..i16::from_be_bytes(fields) {
        let mut length = [0; 4];
        input.read_exact(&mut length)?;
        row.extend(length);
        match i32::from_be_bytes(length) {
            -1 => {}
            length if length < 0 => bail!("a field has the length {length}"),
            length => {
                let start = row.len();
                row.resize(start + length as usize, 0);
                input.read_exact(&mut row[start..])?;
            }
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_up_to_the_trailer() {
        let mut bytes = Vec::new();
        bytes.extend(b"\0\x02\0\0\0\x03abc\xff\xff\xff\xff");
        bytes.extend(b"\0\x01\0\0\0\0");
        bytes.extend(TRAILER);
        let (mut input, mut row) = (&bytes[..], Vec::new());
        let mut lengths = Vec::new();
        while read_row(&mut input, &mut row).unwrap() {
            lengths.push(row.len());
        }
        assert_eq!(lengths, [13, 6]);
        assert!(!read_row(&mut input, &mut row).unwrap());
    }
}
