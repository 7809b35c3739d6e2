//! Which line of a text a byte is on, as an editor or a spreadsheet program counts them.

/// Where the lines of a text end: old spreadsheet programs end them by a carriage return alone.
pub(super) struct Lines(Vec<usize>);

impl Lines {
    pub(super) fn of(text: &str) -> Self {
        let behind = text.bytes().skip(1).map(Some).chain([None]);
        let is_end = |(byte, behind): (u8, Option<u8>)| byte == b'\n' || (byte == b'\r' && behind != Some(b'\n'));
        let ends = text.bytes().zip(behind).enumerate().filter(|(_, two)| is_end(*two));
        Self(ends.map(|(at, _)| at).collect())
    }

    /// The line, counted from 1, of a byte.
    pub(super) fn line(&self, offset: usize) -> usize {
        self.0.partition_point(|end| *end < offset) + 1
    }
}
