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

/// Fails a call, which is then tried again, when its answer does not end as IAM ends one: `</GetRoleResponse>`.
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

/// The SDK does not by itself try again what an interceptor has failed.
impl ClassifyRetry for WholeAnswer {
    fn name(&self) -> &'static str {
        "WholeAnswer"
    }

    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        match context.output_or_error() {
            // This interceptor is the only one that fails calls.
            Some(Err(error)) if error.is_interceptor_error() => RetryAction::transient_error(),
            _ => RetryAction::NoActionIndicated,
        }
    }
}
