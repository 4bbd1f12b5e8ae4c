namespace WasmJit.Fuzz;

/// <summary>Additional parts of frames with the runtime-linking extension.</summary>
internal static class LinkedText
{
    /// <summary>Types of fields.</summary>
    internal static readonly string[] References =
    [
        "(ref null memory)", "(ref null $ma)", "(ref null $mb)", "(ref null slice)", "(ref null table)", "(ref null $ua)",
        "(ref null global)", "(ref null $gi)", "(ref null tag)", "(ref null instance)", "(ref null module)", "(ref null $gx)",
    ];

    /// <summary>Heap types of parameters and results.</summary>
    internal static readonly string[] Heaps =
        ["memory", "$ma", "$mb", "$mc", "slice", "$ua", "$uf", "$gi", "$gx", "$gc", "instance", "module", "$I1", "$I0", "$M1"];

    /// <summary>Types of memories, tables, globals and tags: some are subtypes of others, some are unrelated.</summary>
    internal const string Entities = """
          (type $ma (memory 1))
          (type $mb (memory 1 3))
          (type $mc (memory i64 1))
          (type $md (memory i64 1 2))
          (type $ua (table 2 anyref))
          (type $ub (table 4 9 anyref))
          (type $uf (table 3 funcref))
          (type $ug (table 6 8 funcref))
          (type $gi (global (mut i32)))
          (type $gl (global (mut i64)))
          (type $gx (global (mut anyref)))
          (type $gc (global anyref))
          (type $gd (global i31ref))
          (type $vi (func (param i32)))
          (type $tag (tag (type $vi)))

        """;

    internal const string ModuleTypes = """
          (type $nf (func (param i32) (result i32)))
          (type $ng (func (param i64 anyref) (result anyref)))
          (type $I0 (instance (export "f" (func (type $nf)))))
          (type $I1 (instance (export "f" (func (type $nf))) (export "m" (memory 1)) (export "t" (table 2 anyref)) (export "g" (global (mut i64)))))
          (type $I2 (instance (export "put" (func (param i32 i64))) (export "get" (func (param i32) (result i64))) (export "bump" (func (param i64) (result i64)))))
          (type $M0 (module (export "f" (func (type $nf)))))
          (type $M1 (module (export "f" (func (type $nf))) (export "m" (memory 1)) (export "t" (table 2 anyref)) (export "g" (global (mut i64)))))
          (type $M2 (module (import "m" (memory 1)) (import "g" (global (mut i32))) (export "put" (func (param i32 i64))) (export "get" (func (param i32) (result i64)))))

        """;

    internal const string Modules = """
          (module $n1
            (memory (export "m") 1 2)
            (table (export "t") 2 4 anyref)
            (global (export "g") (mut i64) (i64.const 12))
            (func (export "f") (param i32) (result i32)
              (i32.store8 (i32.and (local.get 0) (i32.const 255)) (local.get 0))
              (i32.add (i32.load8_u (i32.const 3)) (local.get 0)))
            (func (export "id") (param i64 anyref) (result anyref)
              (global.set 0 (i64.add (global.get 0) (local.get 0)))
              (table.set (i32.const 1) (local.get 1)) (table.get (i32.const 1))))
          (module $n2
            (import "m" (memory 1))
            (import "g" (global $g (mut i32)))
            (global $n (mut i64) (i64.const 5))
            (func (export "put") (param i32 i64) (i64.store offset=8 (i32.and (local.get 0) (i32.const 4095)) (local.get 1)))
            (func (export "get") (param i32) (result i64) (i64.load offset=8 (i32.and (local.get 0) (i32.const 4095))))
            (func (export "bump") (param i64) (result i64)
              (global.set $g (i32.add (global.get $g) (i32.const 1)))
              (global.set $n (i64.add (global.get $n) (local.get 0))) (global.get $n)))
          (instance $i1 (instantiate $n1))

        """;

    internal const string Tables = """
          (table $tm 3 (ref null $ma))
          (table $ti 3 (ref null (exact $n1)))
          (table $tx 2 (ref null (exact $n2)))

        """;

    internal const string Globals = """
          (global $q0 (ref $ma) (ref.memory $m0))
          (global $q1 (mut (ref null $ma)) (ref.memory $m0))
          (global $q2 (mut (ref null $mc)) (ref.memory $m1))
          (global $q3 (mut (ref null slice)) (ref.null none))
          (global $q4 (mut (ref null (exact $n1))) (ref.null none))
          (global $q5 (mut (ref null $I1)) (ref.instance $i1))
          (global $q6 (ref $ua) (ref.table $ta))
          (global $q7 (mut (ref null $gi)) (ref.global $n1))

        """;

    /// <summary>The module that guests compile.</summary>
    internal const string Compiled =
        "(module (type (func (param i32) (result i32))) (func (type 0) (i32.mul (local.get 0) (i32.const 3))) (export \"f\" (func 0)))";

    /// <summary>
    /// The body of a function i32 -> i32 that guests make: it stores a byte, loads another and adds. The numbers are its bytes; its type is $nf.
    /// </summary>
    internal const string Body = "\\00\\20\\00\\41\\ff\\01\\71\\20\\00\\3a\\00\\00\\41\\03\\2d\\00\\00\\20\\00\\6a\\0b";

    /// <summary>The length of <see cref="Body"/> in bytes.</summary>
    internal const int BodyLength = 21;

    /// <summary>
    /// The first memory has the module that guests compile at address 1024, a name at 2048, and the body of a function at 3072, with its scope.
    /// </summary>
    internal const string Segments = $"""
          (data $d3 (memory $m0) (i32.const 3072) "{Body}")
          (scope $s0 (memory $m0) (type $nf) (func $first))
          (data $d1 (memory $m0) (i32.const 1024) {Compiled})
          (data $d2 (memory $m0) (i32.const 2048) "f")

        """;
}
