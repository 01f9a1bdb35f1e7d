//! How whole reports look, and what holds for any of them.

mod apply;
mod findings;
mod html;
mod markdown;
mod properties;
mod text;
