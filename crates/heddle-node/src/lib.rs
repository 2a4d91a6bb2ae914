//! The engine's N-API addon: converts and delegates, no logic.
