//! A question that was asked already: what is needed next is read by the database's own thread while this one is at work.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

/// Something that was begun and whose answer is taken later.
pub struct Begun<'a, T> {
    asked: Pin<Box<dyn Future<Output = T> + Send + 'a>>,
    answer: Option<T>,
}

impl<'a, T> Begun<'a, T> {
    /// Begins: goes as far as it goes without waiting, which for a query is until the database has it.
    pub async fn now(asked: impl Future<Output = T> + Send + 'a) -> Self {
        let mut asked: Pin<Box<dyn Future<Output = T> + Send + 'a>> = Box::pin(asked);
        let answer = match poll_fn(|context| Poll::Ready(asked.as_mut().poll(context))).await {
            Poll::Ready(answer) => Some(answer),
            Poll::Pending => None,
        };
        Self { asked, answer }
    }

    /// Waits for the answer.
    pub async fn answer(self) -> T {
        match self.answer {
            Some(answer) => answer,
            None => self.asked.await,
        }
    }
}

impl<T> fmt::Debug for Begun<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Begun").field("is_answered", &self.answer.is_some()).finish_non_exhaustive()
    }
}
