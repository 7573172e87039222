// The body of a message in the format that is asked for, made from the one that is there
// ([MS-OXBBODY], [MS-OXCMSG] 2.2.1.58, 3.2.4.1).
//
// A message keeps the bodies it came with, mostly one. The others are computed when they are read:
// text of HTML, HTML of text, RTF of either ([MS-OXRTFEX]), either of RTF.
#pragma once

#include "convert/convert.h"

#define BODY_MAX (64u * 1024 * 1024) // bytes of a body that is converted

// PidTagNativeBody ([MS-OXCMSG] 2.2.1.58.2).
enum native_body {
    BODY_UNDEFINED = 0,
    BODY_PLAIN = 1,
    BODY_RTF = 2,
    BODY_HTML = 3,
    BODY_CLEAR_SIGNED = 4,
};

// The format of the best body among those that are there.
enum native_body body_native(const struct bag *bag);

// Whether body_get answers for `tag` (the type may be PT_UNSPECIFIED): PidTagBody, PidTagHtml,
// PidTagBodyHtml, PidTagRtfCompressed, and what is said about them: PidTagNativeBody,
// PidTagRtfInSync, PidTagInternetCodepage.
bool body_has(proptag_t tag);

// One of them, in the arena; external values are read through `source` (NULL: there are none).
// EC_NOT_FOUND when there is no body; EC_MESSAGE_TOO_BIG when the body there is past BODY_MAX;
// EC_CORRUPT_DATA for RTF that cannot be unpacked; what `source` answers.
enum ec body_get(const struct bag *bag, const struct convert_source *source, struct arena *arena,
                 proptag_t tag, struct prop_value *out);

// When the body `tag` is set, the other formats that are in the bag no longer fit: removes those
// of the three that are not in `*set` (bits kept by the caller, 0 at first), and notes this one.
void body_replaced(struct bag *bag, proptag_t tag, unsigned *set);
