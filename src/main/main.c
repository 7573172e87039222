// The program's entry: everything else is a command.
#include "admin/command.h"
#include "main/init.h"
#include "main/probe_command.h"
#include "main/serve.h"
#include "main/services.h"

int main(int argc, char **argv) {
    static const struct admin_program program = {.init = program_init,
                                                 .serve = program_serve,
                                                 .probe = program_probe,
                                                 .open_services = services_open_alone,
                                                 .close_services = services_close};
    return admin_main(argc, argv, &program);
}
