//! The limits of the protocol that no configuration changes, each with its unit and its reason.

/// The longest command line, in octets with its CRLF. RFC 5321 §4.5.3.1.4 asks for 512 and lets extensions add
/// to it; all that we offer together stay below this.
pub const MAX_COMMAND_LINE: usize = 4_096;

/// The most commands from one message to the next, besides two for each recipient that a message may have.
pub const MAX_SPARE_COMMANDS: u32 = 1_000;

/// The longest name at EHLO, HELO or LHLO, in octets. (RFC 5321 §4.5.3.1.2)
pub const MAX_HELLO: usize = 255;

/// The longest ENVID, in octets as it travels. (RFC 3461 §4.4)
pub const MAX_ENVID: usize = 100;

/// The longest ORCPT, in octets as it travels. (RFC 3461 §4.2)
pub const MAX_ORCPT: usize = 500;

/// The longest address type of ORCPT, in octets: the registered ones have six.
pub const MAX_ADDRESS_TYPE: usize = 32;

/// What a session keeps of an input buffer while it waits, in octets. Larger ones are given back, so that ten
/// thousand sessions that say nothing cost next to nothing.
pub const MAX_IDLE_INPUT: usize = 512;
