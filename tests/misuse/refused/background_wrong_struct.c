// The argument points to another struct than the function takes.
// expect gcc: passing argument 1 of 'send_mail' from incompatible pointer type
// expect clang: incompatible pointer types passing 'struct order *' to parameter of type 'struct mail *'
#include <weft/weft.h>

struct order {
    int id;
};
struct mail {
    int id;
};

static int send_mail(struct mail *mail)
{
    return mail->id;
}

int misuse(struct wf_background *background, struct order *order);
int misuse(struct wf_background *background, struct order *order)
{
    return wf_background_start_copy(background, send_mail, order);
}
