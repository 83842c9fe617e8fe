//! The nouns of mail: addresses, envelopes, queue ids, attempts, transcripts, DSNs.
