// What is served beside Exchange.asmx by GET: the WSDL and XSDs, and photos.
#pragma once

#include "http/http.h"

enum http_next ews_serve_wsdl(struct http_request *r, void *service);
enum http_next ews_serve_messages(struct http_request *r, void *service);
enum http_next ews_serve_types(struct http_request *r, void *service);
// /ews/exchange.asmx/s/GetUserPhoto?email=...&size=HR96x96
enum http_next ews_serve_photo(struct http_request *r, void *service);
