//! How whole reports look, and what holds for any of them.

mod apply;
mod markdown;
mod properties;
mod text;
