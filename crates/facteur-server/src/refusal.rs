//! The one place where a failure of the spool becomes a reply.

use facteur_replies::Reply;
use facteur_spool::SpoolError;

/// What a client is told. It is always told to try again: nothing that runs short here is its fault.
pub(crate) fn of_spool(error: &SpoolError) -> Reply {
    if matches!(error, SpoolError::Full { .. }) {
        Reply::storage_full()
    } else {
        Reply::local_error()
    }
}

#[cfg(test)]
mod tests {
    use facteur_replies::Class;

    use super::*;

    #[test]
    fn no_failure_of_the_spool_is_the_clients_fault() {
        let full = of_spool(&SpoolError::Full { free: 0, wanted: 1 });
        assert_eq!(full, Reply::storage_full());
        let closed = of_spool(&SpoolError::Closed);
        assert_eq!(closed, Reply::local_error());
        for reply in [full, closed] {
            assert_eq!(reply.code().class(), Class::Transient);
        }
    }
}
