//! Another configuration while the server runs.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use facteur_smtp::server as smtp;
use tokio::io::AsyncWriteExt;

use super::house::{House, domain};
use super::sockets::{connect_to, line, listener, loopback};
use crate::{Config, ListenAddress, Parts, Server, ServerError};

fn named(hostname: &str, listeners: Vec<ListenAddress>) -> Config {
    let mut config = Config::new(domain(hostname));
    let listeners = listeners.into_iter().map(|address| {
        let mut listener = listener(address, smtp::Role::Smtp);
        listener.session = Arc::new(smtp::Config::new(domain(hostname), smtp::Role::Smtp));
        listener
    });
    config.listeners = listeners.collect();
    config
}

fn reload(server: &mut Server, config: Config, parts: Parts) -> Result<(), ServerError> {
    server.reload(config, parts.router, parts.planner)
}

fn tcp(address: &ListenAddress) -> SocketAddr {
    let ListenAddress::Tcp(address) = address else {
        panic!("not TCP");
    };
    *address
}

#[tokio::test]
async fn a_session_goes_on_as_it_began_and_the_next_one_sees_the_new_configuration() {
    let house = House::new();
    let config = |hostname| named(hostname, vec![loopback()]);
    let mut server = Server::start(config("old.example.org"), house.parts()).unwrap();
    let address = tcp(&server.addresses()[0]);
    let mut before = connect_to(address).await;
    assert_eq!(line(&mut before).await, "220 old.example.org ESMTP Facteur");
    reload(&mut server, config("new.example.org"), house.parts()).unwrap();
    assert_eq!(tcp(&server.addresses()[0]), address, "it stayed open");
    let mut after = connect_to(address).await;
    assert_eq!(line(&mut after).await, "220 new.example.org ESMTP Facteur");
    before.write_all(b"HELO client.test\r\n").await.unwrap();
    assert_eq!(line(&mut before).await, "250 old.example.org");
    drop((before, after));
    server.shutdown(Duration::ZERO).await;
}

#[tokio::test]
async fn places_come_and_go_while_their_sessions_stay() {
    let house = House::new();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("smtp");
    let unix = ListenAddress::Unix(path.clone());
    let config = |places| named("mx.example.org", places);
    let mut server = Server::start(config(vec![loopback()]), house.parts()).unwrap();
    let gone = tcp(&server.addresses()[0]);
    let mut session = connect_to(gone).await;
    assert!(line(&mut session).await.starts_with("220 "));
    reload(&mut server, config(vec![unix.clone()]), house.parts()).unwrap();
    assert_eq!(server.addresses(), [unix]);
    assert!(path.exists());
    while tokio::net::TcpStream::connect(gone).await.is_ok() {
        // Until the accept loop has heard of it.
        tokio::task::yield_now().await;
    }
    session.write_all(b"NOOP\r\n").await.unwrap();
    assert!(line(&mut session).await.starts_with("250 "));
    drop(session);
    server.shutdown(Duration::ZERO).await;
}

#[tokio::test]
async fn a_place_that_cannot_be_opened_leaves_everything_as_it_was() {
    let house = House::new();
    let config = |hostname, places| named(hostname, places);
    let holder = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let taken = ListenAddress::Tcp(holder.local_addr().unwrap());
    let mut server =
        Server::start(config("old.example.org", vec![loopback()]), house.parts()).unwrap();
    let before = server.addresses();
    let wanted = config("new.example.org", vec![loopback(), taken]);
    let error = reload(&mut server, wanted, house.parts()).unwrap_err();
    assert!(matches!(error, ServerError::Listen { .. }), "{error}");
    assert_eq!(server.addresses(), before);
    let mut client = connect_to(tcp(&before[0])).await;
    assert_eq!(line(&mut client).await, "220 old.example.org ESMTP Facteur");
    drop((client, holder));
    server.shutdown(Duration::ZERO).await;
}
