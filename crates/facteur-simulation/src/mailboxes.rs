//! The mailboxes of the local domain. They outlive the server, and sometimes cannot be written.

use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use facteur_delivery::{Letter, MailboxError, Mailboxes, Storing};

use crate::books::Copy;
use crate::chance::Chance;
use crate::world::{Life, Pulse, Step, World};

/// The mailboxes as one life of the server sees them.
pub(crate) struct Boxes {
    life: Life,
    chance: Chance,
}

impl Boxes {
    pub(crate) fn new(life: Life) -> Self {
        let chance = life.world.chance(2_000_000 + life.number);
        Self { life, chance }
    }

    async fn put(&self, maildir: &Path, mut letter: Letter) -> Result<(), MailboxError> {
        let world = Arc::clone(&self.life.world);
        let mut content = Vec::new();
        let read = letter.body.read_to_end(&mut content);
        read.map_err(|error| MailboxError::Content { error })?;
        world.pass(self.chance.millis(0, 20)).await;
        if self.life.step(Step::Disk) != Pulse::Beats {
            return Err(fails(maildir));
        }
        match self.chance.below(12) {
            0 => Err(fails(maildir)),
            1 => Err(MailboxError::Full {
                path: maildir.to_owned(),
            }),
            _ => {
                self.keep(&world, &letter, &content);
                Ok(())
            }
        }
    }

    fn keep(&self, world: &World, letter: &Letter, content: &[u8]) {
        let mut books = world.books();
        if let Some(id) = books.content_arrives(world, content) {
            let address = letter.recipient.to_string();
            books.takes(world, id, &address, Copy::in_mailbox(world));
        }
    }
}

fn fails(maildir: &Path) -> MailboxError {
    MailboxError::Write {
        path: maildir.to_owned(),
        error: std::io::Error::from_raw_os_error(5),
    }
}

impl Mailboxes for Boxes {
    fn store<'a>(&'a self, maildir: &'a Path, letter: Letter) -> Storing<'a> {
        Box::pin(self.put(maildir, letter))
    }
}
