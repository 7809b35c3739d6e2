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

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test]
    async fn it_has_begun_before_its_answer_is_taken() {
        let steps = Arc::new(AtomicU32::new(0));
        let asked = {
            let steps = Arc::clone(&steps);
            async move {
                steps.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
                steps.fetch_add(1, Ordering::Relaxed);
                "there"
            }
        };
        let begun = Begun::now(asked).await;
        assert_eq!(steps.load(Ordering::Relaxed), 1, "begun, and not waited for");
        assert_eq!(begun.answer().await, "there");
        assert_eq!(steps.load(Ordering::Relaxed), 2);
        let at_once = Begun::now(async { 7 }).await;
        assert_eq!(at_once.answer().await, 7);
    }
}
