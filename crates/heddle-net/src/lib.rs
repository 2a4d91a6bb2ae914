//! The ROUTER loop: sockets, CURVE, ZAP, outboxes.
