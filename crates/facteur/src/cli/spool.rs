//! `facteur spool`: is it whole, and every message as a file. Also how other commands read the spool.
use crate::args::Instance;
use crate::error::CliError;
use crate::ui::Screen;
use facteur_mail::QueueId;
use facteur_spool::{Body, Queued, SpoolError};
use std::path::Path;
pub(crate) struct Reader;
impl Reader {
    pub(crate) fn body(&self, id: QueueId) -> Result<Body, SpoolError> {
        Err(SpoolError::Gone { id })
    }
}
pub(crate) fn open(_: &Instance, _: &Screen) -> Result<Reader, CliError> {
    Ok(Reader)
}
pub(crate) fn messages(_: &Instance, _: &Screen) -> Result<Vec<Queued>, CliError> {
    Ok(vec![])
}
pub(crate) fn message(_: QueueId, _: &Instance, _: &Screen) -> Result<Option<Queued>, CliError> {
    Ok(None)
}
pub(crate) fn check(_: &Instance, _: &mut Screen) -> Result<(), CliError> {
    Ok(())
}
pub(crate) fn export(_: &Path, _: &Instance, _: &mut Screen) -> Result<(), CliError> {
    Ok(())
}
