// A model is a part of itself, and not of a list: it would never end.
// expect gcc: has incomplete type
// expect clang: field has incomplete type 'struct tree'
#include <weft/model.h>

#define TREE_MEMBERS(M) M(MODEL(tree), child)
WF_MODEL(tree, TREE_MEMBERS)
