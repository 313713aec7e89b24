//! A growing byte buffer whose memory stays initialised, so that writing is a copy with one bounds check.
//!
//! `Vec::extend_from_slice` checks and moves the length for each cell. Encoders write a dozen cells of a few bytes per
//! row; here they reserve the worst case of a row once, copy whole registers beyond a short cell's end, and only then
//! say how long it was. All of it is safe code: the bytes behind the end are zero or old, never uninitialised.

/// Bytes, appended to.
#[derive(Default, Clone)]
pub struct Buffer {
    bytes: Vec<u8>,
    len: usize,
}

/// A short cell is copied as this many bytes at once, whatever its length.
pub(crate) const OVERCOPY_BYTES: usize = 32;

impl Buffer {
    /// Forgets the bytes, keeps the memory.
    pub fn clear(&mut self) {
        self.len = 0;
    }

    /// How many bytes.
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// The bytes that were written before, to be changed (a length that is known only now).
    pub fn as_mut_slice(&mut self) -> &mut [u8] {
        &mut self.bytes[..self.len]
    }

    /// Memory held, in bytes.
    pub fn capacity(&self) -> usize {
        self.bytes.len()
    }

    /// Cuts back to `len` bytes.
    pub fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// Makes room for `more` bytes behind the end.
    #[inline]
    pub fn reserve(&mut self, more: usize) {
        let wanted = self.len + more + OVERCOPY_BYTES;
        if wanted > self.bytes.len() {
            self.grow(wanted);
        }
    }

    #[cold]
    fn grow(&mut self, wanted: usize) {
        // Half as much again, so that appending is linear; the new part is zeroed once in the buffer's life.
        self.bytes.resize(wanted.max(self.bytes.len() + self.bytes.len() / 2), 0);
    }

    /// Appends bytes.
    #[inline]
    pub fn put(&mut self, bytes: &[u8]) {
        self.reserve(bytes.len());
        self.bytes[self.len..self.len + bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
    }

    /// Appends an array: one store where it fits a register.
    #[inline]
    pub fn put_array<const N: usize>(&mut self, bytes: [u8; N]) {
        self.reserve(N);
        self.set_array(bytes);
    }

    /// Appends an array into memory that was [reserved](Buffer::reserve).
    ///
    /// # Panics
    /// If it was not.
    #[inline]
    pub fn set_array<const N: usize>(&mut self, bytes: [u8; N]) {
        self.bytes[self.len..self.len + N].copy_from_slice(&bytes);
        self.len += N;
    }

    /// Appends `len` bytes of memory that was [reserved](Buffer::reserve), to be written over: whatever they held.
    ///
    /// # Panics
    /// If it was not.
    #[inline]
    pub fn claim(&mut self, len: usize) -> &mut [u8] {
        let start = self.len;
        self.len += len;
        &mut self.bytes[start..self.len]
    }

    /// Appends `arena[at..at + len]` into memory that was [reserved](Buffer::reserve), as one register copy if it is
    /// short. The arena must reach 32 bytes beyond its last entry.
    ///
    /// # Panics
    /// If there is no room, or the arena ends earlier.
    #[inline]
    pub fn set_from(&mut self, arena: &[u8], at: usize, len: usize) {
        if len <= OVERCOPY_BYTES {
            self.bytes[self.len..self.len + OVERCOPY_BYTES]
                .copy_from_slice(&arena[at..at + OVERCOPY_BYTES]);
        } else {
            self.bytes[self.len..self.len + len].copy_from_slice(&arena[at..at + len]);
        }
        self.len += len;
    }
}

impl std::fmt::Debug for Buffer {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Buffer({} bytes)", self.len)
    }
}

impl std::fmt::Write for Buffer {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.put(text.as_bytes());
        Ok(())
    }
}

impl std::io::Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.put(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overcopied_bytes_are_written_over() {
        let mut arena = b"abcdefgh".to_vec();
        arena.resize(arena.len() + OVERCOPY_BYTES, b'?');
        let mut buffer = Buffer::default();
        buffer.reserve(6);
        buffer.set_from(&arena, 0, 3);
        buffer.set_from(&arena, 5, 3);
        buffer.put(b"!");
        assert_eq!(buffer.as_slice(), b"abcfgh!");
        buffer.truncate(3);
        assert_eq!((buffer.as_slice(), buffer.len()), (&b"abc"[..], 3));
    }
}
