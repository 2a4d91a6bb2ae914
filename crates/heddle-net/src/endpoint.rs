//! Where a router may listen: ipc paths and loopback tcp, nothing else.

use std::fmt;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::error::NetError;

/// Longest path of a unix socket, in bytes (`sun_path` less its NUL; macOS allows 103).
const IPC_PATH_BYTES_MAX: usize = if cfg!(target_os = "linux") { 107 } else { 103 };

/// An address a router may bind. Parsed from `ipc:///absolute/path`, `tcp://127.0.0.1:8786`,
/// `tcp://localhost:*` or `tcp://[::1]:0`; port `*` or 0 asks for any free one. Parsing refuses
/// whatever another machine could reach, so a value of this type is safe to bind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint(Kind);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Ipc(PathBuf),
    /// Invariant: the address is loopback. Port 0: any free one.
    Tcp(IpAddr, u16),
}

impl FromStr for Endpoint {
    type Err = NetError;

    fn from_str(text: &str) -> Result<Self, NetError> {
        if let Some(path) = text.strip_prefix("ipc://") {
            return parse_ipc(text, path);
        }
        if let Some(address) = text.strip_prefix("tcp://") {
            return parse_tcp(text, address);
        }
        Err(invalid(
            text,
            "expected tcp://127.0.0.1:PORT or ipc:///path/to/socket",
        ))
    }
}

fn invalid(endpoint: &str, reason: impl Into<String>) -> NetError {
    NetError::AddressInvalid {
        endpoint: endpoint.to_owned(),
        reason: reason.into(),
    }
}

fn parse_ipc(text: &str, path: &str) -> Result<Endpoint, NetError> {
    // No wildcard and no abstract names ('@'): the latter have no permissions at all.
    if !path.starts_with('/') || path.contains('\0') {
        return Err(invalid(
            text,
            "an ipc path must be absolute: ipc:///path/to/socket",
        ));
    }
    if path.len() > IPC_PATH_BYTES_MAX {
        let reason = format!(
            "its path has {} bytes, at most {IPC_PATH_BYTES_MAX} fit",
            path.len()
        );
        return Err(invalid(text, reason));
    }
    Ok(Endpoint(Kind::Ipc(PathBuf::from(path))))
}

fn parse_tcp(text: &str, address: &str) -> Result<Endpoint, NetError> {
    let (host, port) = address
        .rsplit_once(':')
        .ok_or_else(|| invalid(text, "the port is missing: tcp://127.0.0.1:PORT"))?;
    let port = match port {
        "*" => 0,
        digits => digits
            .parse::<u16>()
            .map_err(|_| invalid(text, "the port must be * or a number from 0 to 65535"))?,
    };
    let ip = match host {
        "localhost" => Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        "[::1]" => Some(IpAddr::V6(Ipv6Addr::LOCALHOST)),
        // A name or an interface may resolve to anything, so only literal addresses count.
        literal => literal.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
    };
    match ip {
        Some(ip) if ip.is_loopback() => Ok(Endpoint(Kind::Tcp(ip, port))),
        _ => Err(NetError::AddressNotLoopback {
            endpoint: text.to_owned(),
        }),
    }
}

impl fmt::Display for Endpoint {
    /// The text libzmq binds; it parses back to the same endpoint.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (host, port) = match &self.0 {
            Kind::Ipc(path) => return write!(f, "ipc://{}", path.display()),
            Kind::Tcp(IpAddr::V4(ip), port) => (ip.to_string(), port),
            Kind::Tcp(IpAddr::V6(ip), port) => (format!("[{ip}]"), port),
        };
        match port {
            0 => write!(f, "tcp://{host}:*"),
            port => write!(f, "tcp://{host}:{port}"),
        }
    }
}

impl Endpoint {
    pub(crate) fn is_ipv6(&self) -> bool {
        matches!(self.0, Kind::Tcp(IpAddr::V6(_), _))
    }

    /// Refuses an ipc path that a live socket or another kind of file holds: libzmq would unlink
    /// either without a word. A socket file nobody listens on is left for libzmq to replace.
    pub(crate) fn check_free(&self) -> Result<(), NetError> {
        let Kind::Ipc(path) = &self.0 else {
            return Ok(());
        };
        let Ok(metadata) = std::fs::symlink_metadata(path) else {
            return Ok(());
        };
        if !metadata.file_type().is_socket() {
            return Err(invalid(
                &self.to_string(),
                "a file that is not a socket has that path",
            ));
        }
        match UnixStream::connect(path) {
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => Ok(()),
            _ => Err(NetError::AddressInUse {
                endpoint: self.to_string(),
            }),
        }
    }

    /// The socket file just bound, to be removed when the router closes; `None` for tcp. Only the
    /// owner may connect from here on; a caller who wants no window at all binds in a 0700 folder.
    pub(crate) fn claim_file(&self) -> Option<SocketFile> {
        let Kind::Ipc(path) = &self.0 else {
            return None;
        };
        // Failure leaves the umask's mode, which the folder's own mode still guards.
        let _ = std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600));
        let id = file_id(path)?;
        Some(SocketFile {
            path: path.clone(),
            id,
        })
    }
}

fn file_id(path: &Path) -> Option<(u64, u64)> {
    std::fs::symlink_metadata(path)
        .ok()
        .map(|m| (m.dev(), m.ino()))
}

/// A bound unix socket's file. libzmq leaves it behind; dropping this removes it, unless another
/// socket has taken the path since.
#[derive(Debug)]
pub(crate) struct SocketFile {
    path: PathBuf,
    id: (u64, u64),
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if file_id(&self.path) == Some(self.id) {
            // It may have vanished in between, with the folder: nothing to do then.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_what_is_local() {
        for (text, shown) in [
            ("tcp://127.0.0.1:8786", "tcp://127.0.0.1:8786"),
            ("tcp://127.1.2.3:1", "tcp://127.1.2.3:1"),
            ("tcp://localhost:*", "tcp://127.0.0.1:*"),
            ("tcp://127.0.0.1:0", "tcp://127.0.0.1:*"),
            ("tcp://[::1]:9", "tcp://[::1]:9"),
            ("ipc:///run/heddle/s", "ipc:///run/heddle/s"),
        ] {
            let endpoint: Endpoint = text.parse().unwrap();
            assert_eq!(endpoint.to_string(), shown);
            assert_eq!(shown.parse::<Endpoint>().unwrap(), endpoint);
        }
    }

    #[test]
    fn refuses_what_other_machines_reach() {
        for text in [
            "tcp://0.0.0.0:1",
            "tcp://*:8786",
            "tcp://10.0.0.1:8786",
            "tcp://eth0:1",
            "tcp://[::]:1",
            "tcp://[::ffff:10.0.0.1]:1",
            "tcp://example.org:1",
            "tcp://localhost.example.org:1",
            "tcp://eth0;127.0.0.1:1",
        ] {
            let error = text.parse::<Endpoint>().unwrap_err();
            assert_eq!(error.code(), "ERR_ADDRESS_NOT_LOOPBACK", "{text}");
            assert!(error.to_string().contains(text) && error.to_string().contains("127.0.0.1"));
        }
    }

    #[test]
    fn refuses_what_is_malformed() {
        let long = format!("ipc:///{}", "x".repeat(200));
        for text in [
            "",
            "127.0.0.1:1",
            "tcp://127.0.0.1",
            "tcp://127.0.0.1:65536",
            "tcp://127.0.0.1:x",
            "ipc://*",
            "ipc://relative",
            "ipc://@abstract",
            "inproc://a",
            "udp://127.0.0.1:1",
            "ws://127.0.0.1:1",
            &long,
        ] {
            let error = text.parse::<Endpoint>().unwrap_err();
            assert_eq!(error.code(), "ERR_ADDRESS_INVALID", "{text}");
        }
    }
}
