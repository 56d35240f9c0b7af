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
        match tls.conn.complete_io(&mut tls.sock) {
            // It accepted the server, which has closed the connection since.
            Err(e) if !tls.conn.is_handshaking() && e.kind() != ErrorKind::InvalidData => return Ok(()),
            done => done?,
        };
    }
    tls.sock.set_read_timeout(Some(Duration::from_secs(1)))?;
    match ask(&mut tls, name) {
        // The other side rejects the client, in TLS's own words: in TLS 1.3 it does so only now.
        Err(e) if e.kind() == ErrorKind::InvalidData => Err(e.into()),
        _ => Ok(()),
    }
}

fn ask(tls: &mut StreamOwned<ClientConnection, TcpStream>, name: &str) -> std::io::Result<usize> {
    write!(tls, "GET / HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n")?;
    tls.read(&mut [0; 1])
}
