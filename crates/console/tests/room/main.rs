//! The desk's router, in process, over a scripted watch. Each file is one face of it.

mod api;
mod counter;
mod house;
mod pages;
mod responder;
mod stream;
