/*
 * Registries without a list: REGISTER(kind, ident) puts a pointer to a descriptor into a section
 * of the binary that is named after its kind, and the linker provides the section's two ends. So
 * adding a file adds an entry. The order is the linker's; whoever shows a list sorts it.
 */
#ifndef OVERLAP_REGISTRY_H
#define OVERLAP_REGISTRY_H

#define REGISTER(kind, ident)                                                                      \
    static const struct kind kind##_##ident;                                                       \
    __attribute__((                                                                                \
        used, section("overlap_" #kind))) static const struct kind *const kind##_entry_##ident =   \
        &kind##_##ident;                                                                           \
    static const struct kind kind##_##ident

#define REGISTRY(kind)                                                                             \
    extern const struct kind *const __start_overlap_##kind[];                                      \
    extern const struct kind *const __stop_overlap_##kind[];

/* for (const struct kind *const *entry, each registered one) */
#define REGISTRY_FOR_EACH(kind, entry)                                                             \
    for (const struct kind *const *entry = __start_overlap_##kind; entry < __stop_overlap_##kind;  \
         entry++)

#endif
