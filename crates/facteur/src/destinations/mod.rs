//! Destinations of the running server: how they are, and what an operator orders.

mod desk;
mod orders;
mod request;
mod seen;

pub(crate) use desk::Desk;
pub(crate) use orders::{OrdersError, load};
pub(crate) use request::{DestinationsAct, DestinationsRequest, OrderFault, OrderSpec, Overview};
pub(crate) use seen::{LimitsSeen, Seen, SlowedSeen};

use std::path::{Path, PathBuf};

/// Where the orders of an instance are kept.
pub(crate) fn file(data_dir: &Path) -> PathBuf {
    data_dir.join("orders.json")
}
