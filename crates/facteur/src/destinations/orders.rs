//! The file of orders: what an operator has ordered holds after a restart as well.
//!
//! It is written beside itself, flushed, and moved into its place, so that it is always whole: the old one or the new one.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use facteur_delivery::{MAX_ORDERS, Order};
use facteur_mail::Timestamp;
use serde::{Deserialize, Serialize};

use super::request::OrderSpec;

/// The largest file, in octets: more than the most orders of the greatest length need.
const MAX_FILE: u64 = 4 << 20;

/// The version of the file.
const VERSION: u32 = 1;

/// Why the orders cannot be read or kept.
#[derive(Debug)]
pub(crate) enum OrdersError {
    /// The system's words.
    System(io::Error),
    /// What lies there is no file of orders, or one of another version.
    Damaged,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    version: u32,
    orders: Vec<OrderSpec>,
}

/// The orders that lie there and have not ended; none where there is no file.
pub(crate) fn load(path: &Path, now: Timestamp) -> Result<Vec<Order>, OrdersError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(OrdersError::System(error)),
    };
    let mut text = String::new();
    let read = file.take(MAX_FILE + 1).read_to_string(&mut text);
    match read {
        Ok(read) if u64::try_from(read).is_ok_and(|read| read <= MAX_FILE) => {}
        Ok(_) => return Err(OrdersError::Damaged),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            return Err(OrdersError::Damaged);
        }
        Err(error) => return Err(OrdersError::System(error)),
    }
    let kept: Kept = serde_json::from_str(&text).map_err(|_| OrdersError::Damaged)?;
    if kept.version != VERSION || kept.orders.len() > MAX_ORDERS {
        return Err(OrdersError::Damaged);
    }
    let orders = kept.orders.iter().map(OrderSpec::order);
    let mut orders: Vec<Order> = orders
        .collect::<Result<_, _>>()
        .map_err(|_| OrdersError::Damaged)?;
    orders.retain(|order| order.until.is_none_or(|until| until > now));
    Ok(orders)
}

/// Keeps these orders and no others. When it returns, they are on disk.
pub(super) fn keep(path: &Path, orders: &[Order]) -> io::Result<()> {
    let kept = Kept {
        version: VERSION,
        orders: orders.iter().map(OrderSpec::of).collect(),
    };
    let mut text = serde_json::to_vec_pretty(&kept)?;
    text.push(b'\n');
    let beside = beside(path);
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)?;
    file.write_all(&text)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    // The name is on disk when its folder is.
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or_else(|| Path::new(".")))?.sync_all()
}

fn beside(path: &Path) -> PathBuf {
    path.with_extension("json.new")
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;
    use std::os::unix::fs::PermissionsExt as _;

    use facteur_delivery::{Limits, Target, What};

    use super::*;

    fn order(target: &str, what: What, until: Option<u64>) -> Order {
        Order {
            target: Target::parse(target).unwrap(),
            what,
            reason: "« their » network\nis down".to_owned(),
            by: "root".to_owned(),
            since: Timestamp::from_millis(1),
            until: until.map(Timestamp::from_millis),
        }
    }

    #[test]
    fn what_is_kept_is_read_again_until_it_ends() {
        let folder = tempfile::tempdir().unwrap();
        let path = super::super::file(folder.path());
        let now = Timestamp::from_millis(1_000);
        assert_eq!(load(&path, now).unwrap(), []);
        let limits = Limits {
            messages_per_minute: NonZeroU32::new(20),
            slow_start: Some(false),
            ..Limits::default()
        };
        let orders = [
            order("far.test", What::Pause, None),
            order("mx:*.google.com", What::Limit(limits), Some(2_000)),
            order("old.test", What::Pause, Some(1_000)),
        ];
        keep(&path, &orders).unwrap();
        assert_eq!(load(&path, now).unwrap(), orders[..2]);
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        keep(&path, &[]).unwrap();
        assert_eq!(load(&path, now).unwrap(), []);
    }

    #[test]
    fn what_is_no_file_of_orders_is_not_guessed_at() {
        let folder = tempfile::tempdir().unwrap();
        let path = super::super::file(folder.path());
        let good = "{\"version\":1,\"orders\":[{\"match\":\"a.test\",\"limits\":null,\"reason\":\"\",\"by\":\"\",\"since\":0,\"until\":null}]}";
        fs::write(&path, good).unwrap();
        assert_eq!(load(&path, Timestamp::default()).unwrap().len(), 1);
        for bad in [
            "".to_owned(),
            good.replace("a.test", "a b"),
            good.replace("\"version\":1", "\"version\":2"),
            good.replace("null,\"reason\"", "{\"connections\":0},\"reason\""),
            good.replace("null,\"reason\"", "{\"colour\":1},\"reason\""),
            good.replace("\"reason\":\"\"", "\"reason\":\"\",\"more\":1"),
            good.replace(
                "\"reason\":\"\"",
                &format!("\"reason\":\"{}\"", "x".repeat(501)),
            ),
            "x".repeat(5 << 20),
        ] {
            fs::write(&path, &bad).unwrap();
            let read = load(&path, Timestamp::default());
            assert!(matches!(read, Err(OrdersError::Damaged)), "{}", bad.len());
        }
    }
}
