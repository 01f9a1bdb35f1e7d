//! Refuses answers that break off.
//!
//! The SDK takes an XML answer that ends early for one that holds less. Here that would be an account without the users
//! and roles that were cut off, so they would be made again.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    AfterDeserializationInterceptorContextRef, InterceptorContext,
};
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

/// Fails a call when its answer does not end as IAM and STS end one: `</GetRoleResponse>`.
#[derive(Debug)]
pub(super) struct WholeAnswer;

impl Intercept for WholeAnswer {
    fn name(&self) -> &'static str {
        "WholeAnswer"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response();
        let body = response.body().bytes().unwrap_or_default();
        if response.status().is_success() && !body.trim_ascii_end().ends_with(b"Response>") {
            return Err("the answer breaks off".into());
        }
        Ok(())
    }
}

/// Has a call tried again when its answer says that it worked and yet can't be read: it was broken off, or is not AWS's.
#[derive(Debug)]
pub(super) struct UnreadableAnswer;

impl ClassifyRetry for UnreadableAnswer {
    fn name(&self) -> &'static str {
        "UnreadableAnswer"
    }

    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let worked = context
            .response()
            .is_some_and(|answer| answer.status().is_success());
        match context.output_or_error() {
            Some(Err(_)) if worked => RetryAction::transient_error(),
            _ => RetryAction::NoActionIndicated,
        }
    }
}
