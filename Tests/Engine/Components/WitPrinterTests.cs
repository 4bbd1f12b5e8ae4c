using WasmJit.Components;
using WasmJit.Text;
using Xunit;

namespace WasmJit.Tests;

/// <summary>The types of components, printed as WIT.</summary>
public sealed class WitPrinterTests
{
    private static string Print(string definitions) => WitPrinter.Print(ComponentBinary.Load(Wat.ToBinary($"(component {definitions})")));

    private static void Prints(string expected, string definitions) =>
        Assert.Equal(expected.ReplaceLineEndings("\n") + "\n", Print(definitions));

    [Fact]
    public void NothingIsAWorld() => Prints(
        """
        package root:component;

        world root {
        }
        """, "");

    [Fact]
    public void EveryTypeHasItsNotation() => Prints(
        """
        package root:component;

        world root {
          record r {
            a: bool,
            %type: list<u8>,
          }
          variant v {
            one(r),
            two,
          }
          enum e {
            x,
            y,
          }
          flags f {
            read,
            write,
          }
          type t = tuple<u8, s8, u16, s16, u32, s32, u64, s64, f32, f64, char>;
          import g: func(r: r, v: v, e: e, f: f) -> result<string, error-context>;
          import h: async func(a: list<u8, 4>, b: option<map<string, u8>>, c: stream<u8>, d: stream, e: future<tuple<u8>>, f: future) -> result<_, u8>;
          import i: func(a: result, b: result<u8>);
        }
        """,
        """
        (type $r' (record (field "a" bool) (field "type" (list u8)))) (import "r" (type $r (eq $r')))
        (type $v' (variant (case "one" $r) (case "two"))) (import "v" (type $v (eq $v')))
        (type $e' (enum "x" "y")) (import "e" (type $e (eq $e'))) (type $f' (flags "read" "write")) (import "f" (type $f (eq $f')))
        (type $t (tuple u8 s8 u16 s16 u32 s32 u64 s64 f32 f64 char)) (import "t" (type (eq $t)))
        (import "g" (func (param "r" $r) (param "v" $v) (param "e" $e) (param "f" $f) (result (result string (error error-context)))))
        (import "h" (func async (param "a" (list u8 4)) (param "b" (option (map string u8))) (param "c" (stream u8)) (param "d" (stream)) (param "e" (future (tuple u8))) (param "f" (future)) (result (result (error u8)))))
        (import "i" (func (param "a" (result)) (param "b" (result u8))))
        """);

    [Fact]
    public void InterfacesStandInTheirPackages() => Prints(
        """
        package root:component;

        world root {
          use wasi:io/streams@0.2.0.{input-stream};
          import wasi:io/error@0.2.0;
          import wasi:io/streams@0.2.0;
          import log: interface {
            write: func(line: string);
          }
          @external-id("users \"a\"")
          import users: wasi:keyvalue/store;

          export run: func(input: input-stream) -> result;
        }

        package wasi:io@0.2.0 {
          interface error {
            resource error {
              to-debug-string: func() -> string;
            }
          }

          interface streams {
            use error.{error as io-error};
            variant stream-error {
              last-operation-failed(io-error),
              closed,
            }
            resource input-stream {
              constructor(size: u64);
              read: func(len: u64) -> result<list<u8>, stream-error>;
              open: static async func(path: string) -> result<input-stream, io-error>;
            }
          }
        }

        package wasi:keyvalue {
          interface store {
            get: func(key: string) -> option<string>;
          }
        }
        """,
        """
        (import "wasi:io/error@0.2.0" (instance $error (export "error" (type $e (sub resource))) (export "[method]error.to-debug-string" (func (param "self" (borrow $e)) (result string)))))
        (alias export $error "error" (type $e))
        (import "wasi:io/streams@0.2.0" (instance $streams
          (alias outer 1 $e (type $outer)) (export "io-error" (type $io (eq $outer)))
          (type $se' (variant (case "last-operation-failed" (own $io)) (case "closed"))) (export "stream-error" (type $se (eq $se')))
          (export "input-stream" (type $is (sub resource)))
          (export "[constructor]input-stream" (func (param "size" u64) (result (own $is))))
          (export "[method]input-stream.read" (func (param "self" (borrow $is)) (param "len" u64) (result (result (list u8) (error $se)))))
          (export "[static]input-stream.open" (func async (param "path" string) (result (result (own $is) (error (own $io))))))))
        (alias export $streams "input-stream" (type $is))
        (import "log" (instance (export "write" (func (param "line" string)))))
        (import "users" (implements "wasi:keyvalue/store") (external-id "users \"a\"") (instance (export "get" (func (param "key" string) (result (option string))))))
        (core module $M (func (export "run") (param i32) (result i32) unreachable))
        (core instance $m (instantiate $M))
        (func (export "run") (param "input" (own $is)) (result (result)) (canon lift (core func $m "run")))
        """);

    [Fact]
    public void WhatWitDoesNotHaveIsAComment() => Prints(
        """
        package root:component;

        world root {
          // import c: component
          // import m: module
          // import v: value

          // export v2: value
        }
        """,
        """(import "c" (component)) (import "m" (core module)) (import "v" (value $v u8)) (export "v2" (value $v))""");

    /// <summary>Names are written at each use, but not without end.</summary>
    [Fact]
    public void TheTextHasAnEnd()
    {
        string name = new('a', 60_000);
        string imports = string.Concat(Enumerable.Range(0, 2000).Select(i => $"(import \"f{i}\" (func (param \"x\" $e)))"));
        UnsupportedModuleException e = Assert.Throws<UnsupportedModuleException>(
            () => Print($"(type $e' (enum \"a\")) (import \"{name}\" (type $e (eq $e'))) {imports}"));
        Assert.Contains("WIT of more than", e.Message, StringComparison.Ordinal);
    }

    /// <summary>Every type in an import or export of a valid component has a name where it needs one, so that all can be said.</summary>
    [ComponentSuiteTheory]
    [MemberData(nameof(Files))]
    public void EveryOfficialComponentIsPrinted(string file)
    {
        foreach (WastCommand command in WastReader.Read(File.ReadAllBytes(Path.Combine(ComponentSuite.Folder!, file)), file).Commands)
        {
            if (command is not ModuleCommand { Module: { IsComponent: true } module }) continue;
            string wit = WitPrinter.Print(ComponentBinary.Load(module.Encode()));
            Assert.StartsWith("package root:component;", wit, StringComparison.Ordinal);
            Assert.DoesNotContain("/*", wit, StringComparison.Ordinal);
        }
    }

    public static TheoryData<string> Files() => ComponentSuiteTests.Files();
}
