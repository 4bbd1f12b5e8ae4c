using WasmJit.Jit.Binary;
using WasmJit.Jit.Format;
using WasmJit.Jit.Validation;
using Xunit;

namespace WasmJit.Tests;

/// <summary>What the decoder makes of bytes, before anything is validated.</summary>
public sealed class DecoderTests
{
    /// <summary>A body with locals of a type that there is not, and behind it a custom section without an end.</summary>
    private static readonly byte[] InvalidThenMalformed =
    [
        .. "\0asm\x1\0\0\0"u8, SectionId.Type, 4, 1, TypeByte.Func, 0, 0, SectionId.Function, 2, 1, 0,
        SectionId.Code, 7, 1, 5, 1, 1, TypeByte.RefNull, 9, Opcode.End, SectionId.Custom, 127,
    ];

    /// <summary>Names are what .NET makes of their bytes, of whatever length and characters.</summary>
    [Fact]
    public void NamesAreThoseOfDotnet()
    {
        foreach (int length in new[] { 0, 1, 16, 17, 127, 128, 129, 300 })
        {
            foreach (string end in new[] { "", "\0", "\x7f", "\x80", "\u00e9", "\u20ac", "\U0001f600" })
            {
                byte[] bytes = System.Text.Encoding.UTF8.GetBytes(new string('x', length) + end);
                string? ascii = WasmJit.Jit.Format.AsciiText.Of(bytes);
                bool isAscii = bytes.Length <= 128 && bytes.All(b => b < 128);
                Assert.Equal(isAscii ? System.Text.Encoding.UTF8.GetString(bytes) : null, ascii);
                byte[] section = [(byte)((bytes.Length & 127) | 128), (byte)(bytes.Length >> 7), .. bytes];
                var reader = new WasmJit.Jit.Format.ByteReader(section, 0, section.Length);
                Assert.Equal(System.Text.Encoding.UTF8.GetString(bytes), reader.Name());
            }
        }
    }

    [Fact]
    public void WhatIsMalformedComesBeforeInvalidLocals()
    {
        var error = Assert.Throws<MalformedModuleException>(() => ModuleDecoder.Decode(InvalidThenMalformed));
        Assert.Contains("length out of bounds", error.Message);
        byte[] whole = InvalidThenMalformed[..^2];
        ModuleInfo info = ModuleDecoder.Decode(whole);
        Assert.Throws<InvalidModuleException>(() => ModuleValidator.Validate(info));
    }

    /// <summary>Locals of the extension's types are nothing malformed where the host has switched it off.</summary>
    [Fact]
    public void SwitchedOffLocalsAreNotMalformed()
    {
        byte[] module = Wat.ToBinary("(module (func (local (ref null module))))");
        var settings = new DecodeSettings(AllowLinking: false, AllowCompile: false);
        ModuleInfo info = ModuleDecoder.Decode(module, settings);
        Assert.Contains("runtime-linking", Assert.Throws<InvalidModuleException>(() => ModuleValidator.Validate(info)).Message);
        Assert.Throws<MalformedModuleException>(() => ModuleDecoder.Decode((byte[])[.. module, SectionId.Custom, 127], settings));
    }

    /// <summary>Functions that exports, segments and constant expressions name may be named by code; the decoder knows.</summary>
    [Fact]
    public void DeclaredFunctionsAreKnownBeforeValidation()
    {
        ModuleInfo info = ModuleDecoder.Decode(Wat.ToBinary("""
            (module
              (func $exported (export "e")) (func $inSegment) (func $inExpression) (func $inGlobal) (func $inTable) (func $nowhere)
              (table 1 funcref (ref.func $inTable))
              (global funcref (ref.func $inGlobal))
              (elem declare func $inSegment)
              (elem funcref (ref.func $inExpression)))
            """));
        Assert.Equal([true, true, true, true, true, false], info.Funcs.Select(f => f.IsDeclared));
    }

    /// <summary>Nested modules have the settings of the whole.</summary>
    [Fact]
    public void SettingsAreThoseOfTheWhole()
    {
        var settings = new DecodeSettings(Features.Wasm3, AllowCompile: false);
        ModuleInfo info = ModuleDecoder.Decode(Wat.ToBinary("(module (module (module)))"), settings);
        Assert.All(info.WithNested(), module => Assert.Same(settings, module.Settings));
        Assert.Equal(3, info.WithNested().Count());
        Assert.All(info.WithNested(), module => Assert.Same(info.State.GcBatch, module.State.GcBatch));
    }
}
