//! Tests of the router: local domains, aliases, postmaster, next hops.
