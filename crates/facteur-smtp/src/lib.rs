//! The SMTP protocol without I/O: syntax, server session, client session.
