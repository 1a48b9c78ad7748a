/* The models of what service and clients say to each other, with the names that the API's description has. */
#include <custody/types.h>

WF_MODEL_DEFINE(custody_blocker, CUSTODY_BLOCKER_MEMBERS, .name = "Blocker")
WF_MODEL_DEFINE(custody_releasability, CUSTODY_RELEASABILITY_MEMBERS, .name = "Releasability")
WF_MODEL_DEFINE(custody_authorization, CUSTODY_AUTHORIZATION_MEMBERS, .name = "Authorization")
WF_MODEL_DEFINE(custody_page, CUSTODY_PAGE_MEMBERS, .name = "AuthorizationPage")
WF_MODEL_DEFINE(custody_new_authorization, CUSTODY_NEW_AUTHORIZATION_MEMBERS, .name = "NewAuthorization",
                .unknown = WF_UNKNOWN_REFUSED)
WF_MODEL_DEFINE(custody_decision, CUSTODY_DECISION_MEMBERS, .name = "Decision", .unknown = WF_UNKNOWN_REFUSED)
WF_MODEL_DEFINE(custody_transfer, CUSTODY_TRANSFER_MEMBERS, .name = "Transfer")
WF_MODEL_DEFINE(custody_new_transfer, CUSTODY_NEW_TRANSFER_MEMBERS, .name = "NewTransfer",
                .unknown = WF_UNKNOWN_REFUSED)
WF_MODEL_DEFINE(custody_state, CUSTODY_STATE_MEMBERS, .name = "CustodyStatus")
WF_MODEL_DEFINE(custody_event, CUSTODY_EVENT_MEMBERS, .name = "Event")
WF_MODEL_DEFINE(custody_error_field, CUSTODY_ERROR_FIELD_MEMBERS, .name = "ErrorField")
WF_MODEL_DEFINE(custody_error_detail, CUSTODY_ERROR_DETAIL_MEMBERS, .name = "ErrorDetail")
WF_MODEL_DEFINE(custody_error_body, CUSTODY_ERROR_BODY_MEMBERS, .name = "Error")
WF_MODEL_DEFINE(custody_batch_error, CUSTODY_BATCH_ERROR_MEMBERS, .name = "BatchError")
WF_MODEL_DEFINE(custody_batch_row, CUSTODY_BATCH_ROW_MEMBERS, .name = "BatchRow")
WF_MODEL_DEFINE(custody_batch, CUSTODY_BATCH_MEMBERS, .name = "Batch", .unknown = WF_UNKNOWN_REFUSED)
WF_MODEL_DEFINE(custody_batch_answer, CUSTODY_BATCH_ANSWER_MEMBERS, .name = "BatchAnswer")
