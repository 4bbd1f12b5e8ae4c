namespace WasmJit.Jit.Operators;

/// <summary>Rows of <see cref="OperatorTable"/>: garbage collection and custom descriptors.</summary>
internal static class GcRows
{
    internal const string Text = """
        0xfb:0   struct.new          type            *                  gc         custom           constant,cost:fields
        0xfb:1   struct.new_default  type            *                  gc         custom           constant,cost:fields
        0xfb:2   struct.get          type field      *                  gc         custom           reads-field,cost:1
        0xfb:3   struct.get_s        type field      *                  gc         custom           reads-field,signed,cost:1
        0xfb:4   struct.get_u        type field      *                  gc         custom           reads-field,unsigned,cost:1
        0xfb:5   struct.set          type field      *                  gc         custom           writes-field,cost:1
        0xfb:6   array.new           type            *                  gc         custom           constant,cost:items
        0xfb:7   array.new_default   type            *                  gc         custom           constant,cost:items
        0xfb:8   array.new_fixed     type count      *                  gc         custom           constant,cost:1
        0xfb:9   array.new_data      type data       *                  gc         custom           cost:items
        0xfb:10  array.new_elem      type elem       *                  gc         custom           cost:items
        0xfb:11  array.get           type            *                  gc         custom           reads-element,cost:1
        0xfb:12  array.get_s         type            *                  gc         custom           reads-element,signed,cost:1
        0xfb:13  array.get_u         type            *                  gc         custom           reads-element,unsigned,cost:1
        0xfb:14  array.set           type            *                  gc         custom           writes-element,cost:1
        0xfb:15  array.len           -               arrayref -> i32    gc         custom           cost:1
        0xfb:16  array.fill          type            *                  gc         custom           writes-element,cost:items
        0xfb:17  array.copy          type type       *                  gc         custom           reads-element,writes-element,cost:items
        0xfb:18  array.init_data     type data       *                  gc         custom           writes-element,cost:items
        0xfb:19  array.init_elem     type elem       *                  gc         custom           writes-element,cost:items
        0xfb:20  ref.test            reftype         *                  gc         custom           cost:1
        0xfb:21  ref.test_null       nullreftype     *                  gc         custom           null:ref.test,cost:1
        0xfb:22  ref.cast            reftype         *                  gc         custom           cost:1
        0xfb:23  ref.cast_null       nullreftype     *                  gc         custom           null:ref.cast,cost:1
        0xfb:24  br_on_cast          castflags       *                  gc         custom           branches,cost:values
        0xfb:25  br_on_cast_fail     castflags       *                  gc         custom           branches,cost:values
        0xfb:26  any.convert_extern  -               *                  gc         custom           constant,cost:1
        0xfb:27  extern.convert_any  -               *                  gc         custom           constant,cost:1
        0xfb:28  ref.i31             -               *                  gc         custom           constant,cost:1
        0xfb:29  i31.get_s           -               i31ref -> i32      gc         custom           signed,cost:1
        0xfb:30  i31.get_u           -               i31ref -> i32      gc         custom           unsigned,cost:1
        0xfb:32  struct.new_desc         type        *                  custom-descriptors  custom  constant,cost:fields
        0xfb:33  struct.new_default_desc type        *                  custom-descriptors  custom  constant,cost:fields
        0xfb:34  ref.get_desc        type            *                  custom-descriptors  custom  cost:1
        0xfb:35  ref.cast_desc_eq    reftype         *                  custom-descriptors  custom  cost:1
        0xfb:36  ref.cast_desc_eq_null nullreftype   *                  custom-descriptors  custom  null:ref.cast_desc_eq,cost:1
        0xfb:37  br_on_cast_desc_eq      castflags   *                  custom-descriptors  custom  branches,cost:values
        0xfb:38  br_on_cast_desc_eq_fail castflags   *                  custom-descriptors  custom  branches,cost:values
        """;
}
