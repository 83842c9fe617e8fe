//! Reads requests out of the octets of a connection, however these are cut. Sans-IO.

use super::protocol::{Frame, MAX_REQUEST, Refusal, Request};

/// What has come and is not yet a request.
#[derive(Debug, Default)]
pub(super) struct RequestReader {
    octets: Vec<u8>,
    /// How many of them are known to hold no line end.
    searched: usize,
}

impl RequestReader {
    /// Takes in what came.
    pub(super) fn feed(&mut self, octets: &[u8]) {
        self.octets.extend_from_slice(octets);
    }

    /// The next request, if it is there whole. After a refusal nothing more is to be read.
    pub(super) fn next(&mut self) -> Result<Option<Frame<Request>>, Refusal> {
        let new = self.octets.get(self.searched..).unwrap_or_default();
        let end = new.iter().position(|octet| *octet == b'\n');
        let length = end.map_or(self.octets.len(), |end| self.searched + end + 1);
        if length > MAX_REQUEST || (end.is_none() && length == MAX_REQUEST) {
            let limit = u64::try_from(MAX_REQUEST).unwrap_or(u64::MAX);
            return Err(Refusal::TooLong { limit });
        }
        if end.is_none() {
            self.searched = length;
            return Ok(None);
        }
        let rest = self.octets.split_off(length);
        let mut line = std::mem::replace(&mut self.octets, rest);
        self.searched = 0;
        line.pop();
        Frame::parse(&line).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::protocol::VERSION;
    use super::*;

    const STATUS: &str = r#"{"version":1,"language":"en","request":{"verb":"status"}}"#;

    /// What is read when the octets come cut at these places.
    fn read(octets: &[u8], cuts: &[usize]) -> (Vec<Request>, Option<Refusal>) {
        let mut reader = RequestReader::default();
        let mut requests = Vec::new();
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut % (octets.len() + 1)).collect();
        cuts.extend([0, octets.len()]);
        cuts.sort_unstable();
        for piece in cuts.windows(2) {
            reader.feed(&octets[piece[0]..piece[1]]);
            loop {
                match reader.next() {
                    Ok(Some(frame)) => requests.push(frame.request),
                    Ok(None) => break,
                    Err(refusal) => return (requests, Some(refusal)),
                }
            }
        }
        (requests, None)
    }

    #[test]
    fn a_request_is_read_back_as_it_was_written() {
        let frame = Frame {
            version: VERSION,
            language: "fr".to_owned(),
            request: Request::Status,
        };
        assert_eq!(read(&frame.to_line(), &[]), (vec![Request::Status], None));
        assert_eq!(read(format!("{STATUS}\n").as_bytes(), &[3]).0.len(), 1);
    }

    #[test]
    fn what_is_no_request_is_refused_with_what_is_wrong() {
        let version = Refusal::Version { ours: VERSION };
        for (line, refusal) in [
            ("", Refusal::Malformed),
            ("status", Refusal::Malformed),
            ("GET / HTTP/1.1\r", Refusal::Malformed),
            (r#"{"verb":"status"}"#, Refusal::Malformed),
            (
                r#"{"version":1,"language":"en","request":{"verb":"status"},"more":1}"#,
                Refusal::Malformed,
            ),
            (
                r#"{"version":2,"language":"en","request":{"hold":[]}}"#,
                version,
            ),
            (
                r#"{"version":1,"language":"en","request":{"verb":"explode"}}"#,
                Refusal::Unknown,
            ),
            (
                r#"{"version":1,"language":"en","request":[]}"#,
                Refusal::Unknown,
            ),
        ] {
            let line = format!("{line}\n");
            assert_eq!(
                read(line.as_bytes(), &[]),
                (vec![], Some(refusal)),
                "{line}"
            );
        }
    }

    #[test]
    fn a_line_without_end_is_refused_at_the_limit() {
        let endless = vec![b'{'; MAX_REQUEST - 1];
        assert_eq!(read(&endless, &[]), (vec![], None));
        let endless = vec![b'{'; MAX_REQUEST];
        let (_, refusal) = read(&endless, &[10, 20, 70_000]);
        assert!(matches!(refusal, Some(Refusal::TooLong { .. })));
        let mut long = endless;
        long.push(b'\n');
        let (_, refusal) = read(&long, &[]);
        assert!(matches!(refusal, Some(Refusal::TooLong { .. })));
    }

    #[test]
    fn a_line_that_nests_without_end_is_malformed() {
        let mut nested = vec![b'['; 200_000];
        nested.push(b'\n');
        assert_eq!(read(&nested, &[]).1, Some(Refusal::Malformed));
    }

    proptest! {
        #[test]
        fn prop_no_octets_make_the_reader_panic_and_no_cut_changes_what_is_read(
            octets: Vec<u8>, cuts: Vec<usize>,
        ) {
            prop_assert_eq!(read(&octets, &cuts), read(&octets, &[]));
        }

        #[test]
        fn prop_a_changed_octet_never_makes_the_reader_panic(
            at: prop::sample::Index, to: u8, cuts: Vec<usize>,
        ) {
            let mut octets = format!("{STATUS}\n{STATUS}\n").into_bytes();
            let place = at.index(octets.len());
            octets[place] = to;
            prop_assert_eq!(read(&octets, &cuts), read(&octets, &[]));
        }
    }
}
