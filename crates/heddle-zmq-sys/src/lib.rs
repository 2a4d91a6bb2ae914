//! The few libzmq functions Heddle calls, with libzmq and libsodium built from source.
