//! Delivery status notifications: built and read back. (RFC 3464, RFC 6522, RFC 6533)
