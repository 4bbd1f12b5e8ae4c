using System.Collections.Frozen;
using WasmJit.Jit.Operators;

namespace WasmJit.Tests;

/// <summary>A valid function for every operator, and a constant expression for those that may stand in one.</summary>
internal static class OperatorSamples
{
    /// <summary>The bodies of <c>$id</c> and of the export of <c>$inner</c>. With others an operator that calls them has another outcome.</summary>
    private const string Callee = "(local.get 0)", OtherCallee = "(i32.const 99)";

    /// <summary>What the functions refer to. Behind it stand the function and the end of the module.</summary>
    /// <param name="callee">What functions that are called do.</param>
    /// <param name="start">What the start function of the module that is instantiated does.</param>
    private static string Module(string callee = Callee, string start = "") => $"""
        (module
          (type $v (func)) (type $u (func (param i32) (result i32)))
          (type $s (struct (field $n (mut i32)) (field $p (mut i8))))
          (type $a (array (mut i32))) (type $b (array (mut i8))) (type $fs (array (mut funcref)))
          (rec (type $o (descriptor $od) (struct)) (type $od (describes $o) (struct)))
          (type $m (memory 1)) (type $t (table 1 funcref)) (type $g (global (mut i32))) (type $e (tag (param i32)))
          (type $M (module (export "f" (func (type $u))))) (type $I (instance (export "f" (func (type $u))))) (type $E (module))
          (module $inner (func (export "f") (param i32) (result i32) {callee}) (func $start {start}) (start $start))
          (module $calm (func (export "f") (param i32) (result i32) (local.get 0)))
          (instance $inst (instantiate $calm))
          (memory $mem 1) (memory $sh 1 1 shared) (table $tab 4 funcref) (global $glob (mut i32) (i32.const 1)) (global $fixed i32 (i32.const 1))
          (tag $tag (param i32))
          (elem $el func $id) (data $da "abcdefgh")
          (scope $sc (type $u) (func $id) (memory $mem))
          (func $id (param i32) (result i32) {callee})
        """;

    /// <summary>The number of the function that <see cref="WithFunction"/> adds.</summary>
    internal const int Func = 1;

    /// <summary>Types and body of a function, by the operators that have rules of their own.</summary>
    internal static readonly FrozenDictionary<OpId, string> Functions = new Dictionary<OpId, string>
    {
        [OpId.Unreachable] = "(result i32) unreachable",
        [OpId.Nop] = "nop",
        [OpId.Block] = "(result i32) (block (result i32) (i32.const 1))",
        [OpId.Loop] = "(param i32) (result i64) (local.get 0) (loop $l (param i32) (result i64) (drop) (br_if $l (i32.const 1) (i32.const 0)) (drop) (i64.const 2))",
        [OpId.If] = "(param i32) (result i32) (if (result i32) (local.get 0) (then (i32.const 1)) (else (i32.const 2)))",
        [OpId.Else] = "(param i32) (result i32) (if (result i32) (local.get 0) (then (i32.const 1)) (else (i32.const 2)))",
        [OpId.Try] = "(result i32) (try (result i32) (do (i32.const 1)) (catch $tag))",
        [OpId.Catch] = "(result i32) (try (result i32) (do (throw $tag (i32.const 1))) (catch $tag))",
        [OpId.CatchAll] = "(try (do (throw $tag (i32.const 1))) (catch_all))",
        [OpId.Delegate] = "(try (do (try (do (if (global.get $glob) (then (throw $tag (i32.const 1))))) (delegate 0))) (catch_all))",
        [OpId.Throw] = "(result i32) (throw $tag (i32.const 1))",
        [OpId.Rethrow] = "(result i32) (try (result i32) (do (throw $tag (i32.const 1))) (catch_all (rethrow 0)))",
        [OpId.ThrowRef] = "(param exnref) (result i32) (throw_ref (local.get 0))",
        [OpId.End] = "nop",
        [OpId.Br] = "(result i32) (block (result i32) i32.const 1 br 0)",
        [OpId.BrIf] = "(param i32) (block (br_if 0 (local.get 0)))",
        [OpId.BrTable] = "(param i32) (result i32) (block (result i32) (i32.const 1) (br_table 0 0 (local.get 0)))",
        [OpId.Return] = "(result i32) (return (i32.const 1))",
        [OpId.Call] = "(result i32) (call $id (i32.const 1))",
        [OpId.CallIndirect] = "(result i32) (call_indirect $tab (type $u) (i32.const 1) (i32.const 0))",
        [OpId.ReturnCall] = "(result i32) (return_call $id (i32.const 1))",
        [OpId.ReturnCallIndirect] = "(result i32) (return_call_indirect $tab (type $u) (i32.const 1) (i32.const 0))",
        [OpId.CallRef] = "(param (ref $u)) (result i32) (call_ref $u (i32.const 1) (local.get 0))",
        [OpId.ReturnCallRef] = "(param (ref $u)) (result i32) (return_call_ref $u (i32.const 1) (local.get 0))",
        [OpId.Drop] = "(drop (i32.const 1))",
        [OpId.Select] = "(param i32) (result i32) (select (i32.const 1) (i32.const 2) (local.get 0))",
        [OpId.SelectT] = "(param i32) (result i32) (select (result i32) (i32.const 1) (i32.const 2) (local.get 0))",
        [OpId.TryTable] = "(result i32) (block (result i32) (try_table (result i64) (catch $tag 0) (throw $tag (i32.const 1))) (drop) (i32.const 2))",
        [OpId.LocalGet] = "(param i32) (result i32) (local.get 0)",
        [OpId.LocalSet] = "(param i32) (local.set 0 (i32.const 1))",
        [OpId.LocalTee] = "(param i32) (result i32) (local.tee 0 (i32.const 1))",
        [OpId.GlobalGet] = "(result i32) (global.get $glob)",
        [OpId.GlobalSet] = "(global.set $glob (i32.const 1))",
        [OpId.TableGet] = "(result funcref) (table.get $tab (i32.const 0))",
        [OpId.TableSet] = "(table.set $tab (i32.const 0) (ref.null func))",
        [OpId.MemorySize] = "(result i32) (memory.size $mem)",
        [OpId.MemoryGrow] = "(result i32) (memory.grow $mem (i32.const 1))",
        [OpId.I32Const] = "(result i32) (i32.const 1)",
        [OpId.I64Const] = "(result i64) (i64.const 1)",
        [OpId.F32Const] = "(result f32) (f32.const 1)",
        [OpId.F64Const] = "(result f64) (f64.const 1)",
        [OpId.V128Const] = "(result v128) (v128.const i64x2 1 2)",
        [OpId.I8x16Shuffle] = "(param v128) (result v128) (i8x16.shuffle 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 31 (local.get 0) (local.get 0))",
        [OpId.RefNull] = "(result funcref) (ref.null func)",
        [OpId.RefIsNull] = "(param anyref) (result i32) (ref.is_null (local.get 0))",
        [OpId.RefFunc] = "(result (ref $u)) (ref.func $id)",
        [OpId.RefEq] = "(param eqref) (result i32) (ref.eq (local.get 0) (local.get 0))",
        [OpId.RefAsNonNull] = "(param anyref) (result (ref any)) (ref.as_non_null (local.get 0))",
        [OpId.BrOnNull] = "(param anyref) (block (drop (br_on_null 0 (local.get 0))))",
        [OpId.BrOnNonNull] = "(param anyref) (result (ref any)) (block (result (ref any)) (br_on_non_null 0 (local.get 0)) (unreachable))",
        [OpId.MemoryInit] = "(memory.init $mem $da (i32.const 0) (i32.const 0) (i32.const 4))",
        [OpId.DataDrop] = "(data.drop $da)",
        [OpId.MemoryCopy] = "(memory.copy $mem $mem (i32.const 8) (i32.const 0) (i32.const 4))",
        [OpId.MemoryFill] = "(memory.fill $mem (i32.const 0) (i32.const 0) (i32.const 4))",
        [OpId.TableInit] = "(table.init $tab $el (i32.const 0) (i32.const 0) (i32.const 1))",
        [OpId.ElemDrop] = "(elem.drop $el)",
        [OpId.TableCopy] = "(table.copy $tab $tab (i32.const 1) (i32.const 0) (i32.const 1))",
        [OpId.TableGrow] = "(result i32) (table.grow $tab (ref.null func) (i32.const 1))",
        [OpId.TableSize] = "(result i32) (table.size $tab)",
        [OpId.TableFill] = "(table.fill $tab (i32.const 0) (ref.null func) (i32.const 1))",
        [OpId.I64Add128] = "(param i64) (result i64 i64) (i64.add128 (local.get 0) (local.get 0) (local.get 0) (local.get 0))",
        [OpId.I64Sub128] = "(param i64) (result i64 i64) (i64.sub128 (local.get 0) (local.get 0) (local.get 0) (local.get 0))",
        [OpId.I64MulWideS] = "(param i64) (result i64 i64) (i64.mul_wide_s (local.get 0) (local.get 0))",
        [OpId.I64MulWideU] = "(param i64) (result i64 i64) (i64.mul_wide_u (local.get 0) (local.get 0))",
        [OpId.StructNew] = "(result (ref $s)) (struct.new $s (i32.const 1) (i32.const 2))",
        [OpId.StructNewDefault] = "(result (ref $s)) (struct.new_default $s)",
        [OpId.StructGet] = "(param (ref $s)) (result i32) (struct.get $s $n (local.get 0))",
        [OpId.StructGetS] = "(param (ref $s)) (result i32) (struct.get_s $s $p (local.get 0))",
        [OpId.StructGetU] = "(param (ref $s)) (result i32) (struct.get_u $s $p (local.get 0))",
        [OpId.StructSet] = "(param (ref $s)) (struct.set $s $n (local.get 0) (i32.const 1))",
        [OpId.ArrayNew] = "(result (ref $a)) (array.new $a (i32.const 1) (i32.const 2))",
        [OpId.ArrayNewDefault] = "(result (ref $a)) (array.new_default $a (i32.const 2))",
        [OpId.ArrayNewFixed] = "(result (ref $a)) (array.new_fixed $a 2 (i32.const 1) (i32.const 2))",
        [OpId.ArrayNewData] = "(result (ref $b)) (array.new_data $b $da (i32.const 0) (i32.const 2))",
        [OpId.ArrayNewElem] = "(result (ref $fs)) (array.new_elem $fs $el (i32.const 0) (i32.const 1))",
        [OpId.ArrayGet] = "(param (ref $a)) (result i32) (array.get $a (local.get 0) (i32.const 0))",
        [OpId.ArrayGetS] = "(param (ref $b)) (result i32) (array.get_s $b (local.get 0) (i32.const 0))",
        [OpId.ArrayGetU] = "(param (ref $b)) (result i32) (array.get_u $b (local.get 0) (i32.const 0))",
        [OpId.ArraySet] = "(param (ref $a)) (array.set $a (local.get 0) (i32.const 0) (i32.const 1))",
        [OpId.ArrayLen] = "(param arrayref) (result i32) (array.len (local.get 0))",
        [OpId.ArrayFill] = "(param (ref $a)) (array.fill $a (local.get 0) (i32.const 0) (i32.const 1) (i32.const 2))",
        [OpId.ArrayCopy] = "(param (ref $a)) (array.copy $a $a (local.get 0) (i32.const 1) (local.get 0) (i32.const 0) (i32.const 1))",
        [OpId.ArrayInitData] = "(param (ref $b)) (array.init_data $b $da (local.get 0) (i32.const 0) (i32.const 0) (i32.const 1))",
        [OpId.ArrayInitElem] = "(param (ref $fs)) (array.init_elem $fs $el (local.get 0) (i32.const 0) (i32.const 0) (i32.const 1))",
        [OpId.RefTest] = "(param anyref) (result i32) (ref.test (ref $s) (local.get 0))",
        [OpId.RefTestNull] = "(param anyref) (result i32) (ref.test (ref null $s) (local.get 0))",
        [OpId.RefCast] = "(param anyref) (result (ref $s)) (ref.cast (ref $s) (local.get 0))",
        [OpId.RefCastNull] = "(param anyref) (result (ref null $s)) (ref.cast (ref null $s) (local.get 0))",
        [OpId.BrOnCast] = "(param anyref) (result anyref) (block (result anyref) (br_on_cast 0 anyref (ref $s) (local.get 0)))",
        [OpId.BrOnCastFail] = "(param anyref) (result anyref) (block (result anyref) (br_on_cast_fail 0 anyref (ref $s) (local.get 0)))",
        [OpId.AnyConvertExtern] = "(param externref) (result anyref) (any.convert_extern (local.get 0))",
        [OpId.ExternConvertAny] = "(param anyref) (result externref) (extern.convert_any (local.get 0))",
        [OpId.RefI31] = "(result i31ref) (ref.i31 (i32.const 1))",
        [OpId.I31GetS] = "(param i31ref) (result i32) (i31.get_s (local.get 0))",
        [OpId.I31GetU] = "(param i31ref) (result i32) (i31.get_u (local.get 0))",
        [OpId.StructNewDesc] = "(result (ref $o)) (struct.new_desc $o (struct.new $od))",
        [OpId.StructNewDefaultDesc] = "(result (ref $o)) (struct.new_default_desc $o (struct.new $od))",
        [OpId.RefGetDesc] = "(param (ref $o)) (result (ref $od)) (ref.get_desc $o (local.get 0))",
        [OpId.RefCastDescEq] = "(param anyref) (result (ref $o)) (ref.cast_desc_eq (ref $o) (local.get 0) (struct.new $od))",
        [OpId.RefCastDescEqNull] = "(param anyref) (result (ref null $o)) (ref.cast_desc_eq (ref null $o) (local.get 0) (struct.new $od))",
        [OpId.BrOnCastDescEq] =
            "(param anyref) (result anyref) (block (result anyref) (br_on_cast_desc_eq 0 anyref (ref $o) (local.get 0) (struct.new $od)))",
        [OpId.BrOnCastDescEqFail] =
            "(param anyref) (result anyref) (block (result anyref) (br_on_cast_desc_eq_fail 0 anyref (ref $o) (local.get 0) (struct.new $od)))",
        [OpId.RefModule] = "(result (ref $M)) (ref.module $inner)",
        [OpId.RefInstance] = "(result (ref $I)) (ref.instance $inst)",
        [OpId.RefMemory] = "(result (ref $m)) (ref.memory $mem)",
        [OpId.RefTable] = "(result (ref $t)) (ref.table $tab)",
        [OpId.RefGlobal] = "(result (ref $g)) (ref.global $glob)",
        [OpId.RefTag] = "(result (ref $e)) (ref.tag $tag)",
        [OpId.Compile] = "(result (ref $E)) (compile $mem $E (i32.const 0) (i32.const 8))",
        [OpId.CompileNull] = "(result (ref null $E)) (compile null $mem $E (i32.const 0) (i32.const 8))",
        [OpId.FuncNew] = "(result (ref $u)) (func.new $mem $u $sc (i32.const 0) (i32.const 8))",
        [OpId.FuncNewNull] = "(result (ref null $u)) (func.new null $mem $u $sc (i32.const 0) (i32.const 8))",
        [OpId.FuncNewNamed] = "(result (ref $u)) (func.new_named $mem $u $sc (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 8))",
        [OpId.FuncNewNamedNull] = "(result (ref null $u)) (func.new_named null $mem $u $sc (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 8))",
        [OpId.FuncOptimize] = "(func.optimize (ref.func $id))",
        [OpId.FuncIsOptimized] = "(result i32) (func.is_optimized (ref.func $id))",
        [OpId.ModuleDrop] = "(module.drop (ref.null module))",
        [OpId.FuncDrop] = "(func.drop (ref.null func))",
        [OpId.CodeCount] = "(result i64) (code.count)",
        [OpId.CodeSize] = "(result i64) (code.size)",
        [OpId.Instantiate] = "(result (ref $I)) (instantiate $M (ref.module $inner))",
        [OpId.InstantiateNull] = "(result (ref null $I)) (instantiate null $M (ref.module $inner))",
        [OpId.InstantiateModule] = "(drop (instantiate (module $inner)))",
        [OpId.GetExport] = "(result (ref $u)) (get_export $I \"f\" (ref.instance $inst))",
        [OpId.GetExportNull] = "(result (ref null $u)) (get_export null $mem $u (ref.instance $inst) (i32.const 0) (i32.const 1))",
        [OpId.CallExport] = "(result i32) (call_export $inner \"f\" (i32.const 1) (instantiate (module $inner)))",
        [OpId.ReturnCallExport] = "(result i32) (return_call_export $inner \"f\" (i32.const 1) (instantiate (module $inner)))",
        [OpId.MemoryNew] = "(result (ref $m)) (memory.new $m)",
        [OpId.TableNew] = "(result (ref $t)) (table.new $t (ref.null func))",
        [OpId.GlobalNew] = "(result (ref $g)) (global.new $g (i32.const 1))",
        [OpId.MemorySizeRef] = "(param (ref $m)) (result i32) (memory.size (ref $m) (local.get 0))",
        [OpId.MemoryGrowRef] = "(param (ref $m)) (result i32) (memory.grow (ref $m) (local.get 0) (i32.const 1))",
        [OpId.MemoryFillRef] = "(param (ref $m)) (memory.fill (ref $m) (local.get 0) (i32.const 0) (i32.const 1) (i32.const 2))",
        [OpId.MemoryCopyRef] =
            "(param (ref $m)) (memory.copy (ref $m) (ref $m) (local.get 0) (i32.const 8) (local.get 0) (i32.const 0) (i32.const 2))",
        [OpId.MemoryInitRef] = "(param (ref $m)) (memory.init (ref $m) $da (local.get 0) (i32.const 0) (i32.const 0) (i32.const 2))",
        [OpId.TableGetRef] = "(param (ref $t)) (result funcref) (table.get (ref $t) (local.get 0) (i32.const 0))",
        [OpId.TableSetRef] = "(param (ref $t)) (table.set (ref $t) (local.get 0) (i32.const 0) (ref.null func))",
        [OpId.TableSizeRef] = "(param (ref $t)) (result i32) (table.size (ref $t) (local.get 0))",
        [OpId.TableGrowRef] = "(param (ref $t)) (result i32) (table.grow (ref $t) (local.get 0) (ref.null func) (i32.const 1))",
        [OpId.TableFillRef] = "(param (ref $t)) (table.fill (ref $t) (local.get 0) (i32.const 0) (ref.null func) (i32.const 1))",
        [OpId.TableCopyRef] =
            "(param (ref $t)) (table.copy (ref $t) (ref $t) (local.get 0) (i32.const 1) (local.get 0) (i32.const 0) (i32.const 1))",
        [OpId.TableInitRef] = "(param (ref $t)) (table.init (ref $t) $el (local.get 0) (i32.const 0) (i32.const 0) (i32.const 1))",
        [OpId.CallIndirectRef] = "(param (ref $t)) (result i32) (call_indirect (ref $t) (type $u) (i32.const 1) (local.get 0) (i32.const 0))",
        [OpId.GlobalGetRef] = "(param (ref $g)) (result i32) (global.get (ref $g) (local.get 0))",
        [OpId.GlobalSetRef] = "(param (ref $g)) (global.set (ref $g) (local.get 0) (i32.const 1))",
        [OpId.SliceNew] = "(result (ref slice)) (slice.new $mem (i32.const 0) (i32.const 8))",
        [OpId.SliceNewRef] = "(param (ref $m)) (result (ref slice)) (slice.new (ref $m) (local.get 0) (i32.const 0) (i32.const 8))",
        [OpId.SliceSub] = "(param (ref slice)) (result (ref slice)) (slice.sub (local.get 0) (i64.const 0) (i64.const 8))",
        [OpId.SliceReadonly] = "(param (ref slice)) (result (ref slice)) (slice.readonly (local.get 0))",
        [OpId.SliceLen] = "(param (ref slice)) (result i64) (slice.len (local.get 0))",
        [OpId.SliceCopy] = "(param (ref slice)) (slice.copy (local.get 0) (i64.const 8) (local.get 0) (i64.const 0) (i64.const 1))",
        [OpId.SliceFill] = "(param (ref slice)) (slice.fill (local.get 0) (i64.const 0) (i32.const 1) (i64.const 2))",
        [OpId.MemoryAtomicNotify] = "(result i32) (memory.atomic.notify $mem (i32.const 0) (i32.const 1))",
        [OpId.MemoryAtomicWait32] = "(result i32) (memory.atomic.wait32 $sh (i32.const 0) (i32.const 1) (i64.const 0))",
        [OpId.MemoryAtomicWait64] = "(result i32) (memory.atomic.wait64 $sh (i32.const 0) (i64.const 1) (i64.const 0))",
        [OpId.AtomicFence] = "(atomic.fence)",
    }.ToFrozenDictionary();

    /// <summary>Type and value of a global, by the operator.</summary>
    internal static readonly FrozenDictionary<string, string> Constants = new Dictionary<string, string>
    {
        ["end"] = "i32 (i32.const 1)",
        ["i32.const"] = "i32 (i32.const 1)",
        ["i64.const"] = "i64 (i64.const 1)",
        ["f32.const"] = "f32 (f32.const 1)",
        ["f64.const"] = "f64 (f64.const 1)",
        ["v128.const"] = "v128 (v128.const i64x2 1 2)",
        ["i32.add"] = "i32 (i32.add (i32.const 1) (i32.const 2))",
        ["i32.sub"] = "i32 (i32.sub (i32.const 1) (i32.const 2))",
        ["i32.mul"] = "i32 (i32.mul (i32.const 1) (i32.const 2))",
        ["i64.add"] = "i64 (i64.add (i64.const 1) (i64.const 2))",
        ["i64.sub"] = "i64 (i64.sub (i64.const 1) (i64.const 2))",
        ["i64.mul"] = "i64 (i64.mul (i64.const 1) (i64.const 2))",
        ["global.get"] = "i32 (global.get $fixed)",
        ["ref.null"] = "funcref (ref.null func)",
        ["ref.func"] = "funcref (ref.func $id)",
        ["struct.new"] = "(ref $s) (struct.new $s (i32.const 1) (i32.const 2))",
        ["struct.new_default"] = "(ref $s) (struct.new_default $s)",
        ["struct.new_desc"] = "(ref $o) (struct.new_desc $o (struct.new $od))",
        ["struct.new_default_desc"] = "(ref $o) (struct.new_default_desc $o (struct.new $od))",
        ["array.new"] = "(ref $a) (array.new $a (i32.const 1) (i32.const 2))",
        ["array.new_default"] = "(ref $a) (array.new_default $a (i32.const 2))",
        ["array.new_fixed"] = "(ref $a) (array.new_fixed $a 2 (i32.const 1) (i32.const 2))",
        ["ref.i31"] = "i31ref (ref.i31 (i32.const 1))",
        ["any.convert_extern"] = "anyref (any.convert_extern (ref.null extern))",
        ["extern.convert_any"] = "externref (extern.convert_any (ref.i31 (i32.const 1)))",
        ["ref.module"] = "(ref $M) (ref.module $inner)",
        ["ref.instance"] = "(ref $I) (ref.instance $inst)",
        ["ref.memory"] = "(ref $m) (ref.memory $mem)",
        ["ref.table"] = "(ref $t) (ref.table $tab)",
        ["ref.global"] = "(ref $g) (ref.global $glob)",
        ["ref.tag"] = "(ref $e) (ref.tag $tag)",
    }.ToFrozenDictionary();

    internal static string WithFunction(Operator op) => $"{Module()}  (func $sample (export \"sample\") {FunctionOf(op)}))";

    internal static string WithConstant(Operator op) => $"{Module()}  (global (export \"sample\") {Constants[op.Mnemonic]}))";

    /// <summary>
    /// The function, and <c>run</c>, which calls it with values of the parameters' types. What they work on is exported, so that a test can change it and look at it.
    /// </summary>
    /// <param name="op">The operator.</param>
    /// <param name="isOther">Whether functions that the operator may call do something else.</param>
    internal static string WithRun(Operator op, bool isOther = false)
    {
        string function = FunctionOf(op);
        string results = Clause(function[Clause(function, "param").Length..].TrimStart(), "result");
        string arguments = string.Join(' ', ParametersOf(function).Select(ValueOf));
        return $"""
            {(isOther ? Module(OtherCallee, "unreachable") : Module())}
              (func $sample {function})
              (func $caught (result exnref) (block (result exnref) (try_table (catch_all_ref 0) (throw $tag (i32.const 1))) (unreachable)))
              (global $struct (export "struct") (ref $s) (struct.new $s (i32.const 1) (i32.const 1)))
              (global $numbers (export "numbers") (ref $a) (array.new $a (i32.const 1) (i32.const 4)))
              (global $bytes (export "bytes") (ref $b) (array.new $b (i32.const 1) (i32.const 4)))
              (global $functions (export "functions") (ref $fs) (array.new_default $fs (i32.const 4)))
              (global $described (ref $o) (struct.new_desc $o (struct.new $od)))
              (export "memory" (memory $mem)) (export "shared" (memory $sh)) (export "table" (table $tab)) (export "global" (global $glob)) (export "id" (func $id))
              (func (export "run") {results} (call $sample {arguments})))
            """;
    }

    /// <summary>The types of a function's parameters, in its text.</summary>
    private static IEnumerable<string> ParametersOf(string function)
    {
        string types = Clause(function, "param");
        if (types.Length == 0) yield break;
        types = types["(param".Length..^1];
        for (int at = 0; at < types.Length; at++)
        {
            if (types[at] == ' ') continue;
            int start = at;
            if (types[at] == '(') at = types.IndexOf(')', at) + 1;
            else while (at < types.Length && types[at] != ' ') at++;
            yield return types[start..at];
        }
    }

    /// <summary>The clause at the beginning of a text, with its parentheses; empty if another one stands there.</summary>
    private static string Clause(string text, string word)
    {
        if (!text.StartsWith($"({word} ", StringComparison.Ordinal)) return "";
        for (int at = 0, depth = 0; ; at++)
        {
            if (text[at] == '(') depth++;
            else if (text[at] == ')' && --depth == 0) return text[..(at + 1)];
        }
    }

    /// <summary>
    /// An argument of a type. Numbers are 8 for the first parameter, which may be an address, 16 for the second and so on. Lanes and small numbers have their sign bit set.
    /// </summary>
    private static string ValueOf(string type, int index) => type switch
    {
        "i32" or "i64" or "f32" or "f64" => $"({type}.const {8 * (index + 1)})",
        "v128" => $"(v128.const i8x16{string.Concat(Enumerable.Repeat(" 0x85", 16))})",
        "anyref" or "eqref" or "(ref $s)" => "(global.get $struct)",
        "arrayref" or "(ref $a)" => "(global.get $numbers)",
        "(ref $b)" => "(global.get $bytes)",
        "(ref $fs)" => "(global.get $functions)",
        "(ref $o)" => "(global.get $described)",
        "i31ref" => "(ref.i31 (i32.const -1))",
        "externref" => "(extern.convert_any (global.get $struct))",
        "exnref" => "(call $caught)",
        "(ref $u)" => "(ref.func $id)",
        "(ref $m)" => "(ref.memory $mem)",
        "(ref $t)" => "(ref.table $tab)",
        "(ref $g)" => "(ref.global $glob)",
        "(ref slice)" => "(slice.new $mem (i32.const 0) (i32.const 64))",
        _ => throw new ArgumentException($"There is no value of type {type} for samples; add one.", nameof(type)),
    };

    private static string FunctionOf(Operator op)
    {
        if (op.Id != OpId.Plain) return Functions[op.Id];
        string parameters = string.Join(' ', op.Params.Select(TypeText)), results = string.Join(' ', op.Results.Select(TypeText));
        string operands = string.Concat(op.Params.Select((_, i) => $" (local.get {i})"));
        string lane = op.HasLane ? " 1" : "";
        return $"(param {parameters}) (result {results}) ({op.Mnemonic}{lane}{operands})";
    }

    private static string TypeText(ValType type) => type == OperatorTable.At ? "i32" : type.ToString();
}
