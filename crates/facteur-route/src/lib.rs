//! Where a recipient goes: local domains, routes, and the MX plan with null MX.
