//! stub
use crate::args::Instance;
use crate::error::CliError;
use crate::ui::Screen;
pub(crate) fn run(_: &Instance, _: &mut Screen) -> Result<(), CliError> {
    Ok(())
}
