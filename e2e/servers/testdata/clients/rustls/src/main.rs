//! Makes a TLS connection with rustls as it comes (its default provider and webpki), and asks for a page. Exit status: 0 accepted, 1 refused.
use std::error::Error;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    if let Err(refused) = connect(&args[1], &args[2], &args[3], &args[4]) {
        println!("{refused}");
        std::process::exit(1);
    }
}

fn connect(host: &str, port: &str, name: &str, roots: &str) -> Result<(), Box<dyn Error>> {
    let mut store = RootCertStore::empty();
    for root in CertificateDer::pem_file_iter(roots)? {
        store.add(root?)?;
    }
    let config = ClientConfig::builder().with_root_certificates(store).with_no_client_auth();
    let connection = ClientConnection::new(Arc::new(config), ServerName::try_from(name.to_string())?)?;
    let plain = TcpStream::connect((host, port.parse::<u16>()?))?;
    plain.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut tls = StreamOwned::new(connection, plain);
    while tls.conn.is_handshaking() {
        tls.conn.complete_io(&mut tls.sock)?;
    }
    tls.sock.set_read_timeout(Some(Duration::from_secs(1)))?;
    write!(tls, "GET / HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n")?;
    match tls.read(&mut [0; 1]) {
        // Nothing came, or the server hung up without close_notify: the handshake was good.
        Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::UnexpectedEof) => Ok(()),
        Err(e) => Err(e.into()),
        Ok(_) => Ok(()),
    }
}
