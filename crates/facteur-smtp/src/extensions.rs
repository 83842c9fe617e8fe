//! The keywords of the service extensions, as EHLO announces them.

/// Commands may follow each other without waiting. (RFC 2920)
pub const PIPELINING: &str = "PIPELINING";
/// The largest message, and SIZE on MAIL. (RFC 1870)
pub const SIZE: &str = "SIZE";
/// Octets above 127 in the content. (RFC 6152)
pub const EIGHT_BIT_MIME: &str = "8BITMIME";
/// Addresses and header fields in UTF-8. (RFC 6531)
pub const SMTPUTF8: &str = "SMTPUTF8";
/// RET, ENVID, NOTIFY and ORCPT. (RFC 3461)
pub const DSN: &str = "DSN";
/// Replies carry enhanced codes. (RFC 2034)
pub const ENHANCED_STATUS_CODES: &str = "ENHANCEDSTATUSCODES";
/// BDAT. (RFC 3030 §2)
pub const CHUNKING: &str = "CHUNKING";
/// Any octets in the content. (RFC 3030 §3)
pub const BINARY_MIME: &str = "BINARYMIME";
/// How many recipients and messages a session may have. (RFC 9422)
pub const LIMITS: &str = "LIMITS";
/// HELP. (RFC 5321 §4.1.1.8)
pub const HELP: &str = "HELP";
